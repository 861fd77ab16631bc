// SPDX-License-Identifier: GPL-3.0-or-later
// What the pages say in words can be read to its end: by eye at any size, by keyboard and by screen readers.
#include "editor/FileRow.h"
#include "editor/InfoPanel.h"
#include "editor/StemlaneLook.h"
#include "editor/WrappedText.h"
#include "home.h"
#include "window.h"

using namespace stemlane;

namespace {

float widthOf(const juce::String& line) {
  return StemlaneLook::textWidth(StemlaneLook::font(13.0F), line);
}

/// Lines of text in a part of a picture: stretches of rows with something else than the ground.
int numLines(const juce::Image& image, juce::Rectangle<int> area) {
  const juce::Colour ground = image.getPixelAt(area.getX(), area.getY());
  int count = 0;
  bool before = false;
  for (int y = area.getY(); y < area.getBottom(); ++y) {
    bool now = false;
    for (int x = area.getX(); x < area.getRight() && !now; ++x) now = image.getPixelAt(x, y) != ground;
    count += now && !before;
    before = now;
  }
  return count;
}

/// Separates what is dropped on the page of files, to the end.
void separate(Window& window, FileQueue& queue, const juce::StringArray& paths) {
  window.editor.filesDropped(paths, 0, 0);
  REQUIRE(wait_for([&] {
    queue.poll();
    pump();
    return !queue.isRunning();
  }));
  pump();
}

}  // namespace

TEST_CASE("words are wrapped at spaces, nothing is lost, and no line is too wide") {
  const juce::String url = "https://example.org/some-body/a-project/issues/327";
  const juce::String text = "For research only, says " + url + ". Nothing else is known of it";
  for (int width = 400; width < 900; width += 7) {
    INFO(width);
    const juce::StringArray lines = wrappedLines(text, width);
    CHECK(lines.joinIntoString(" ") == text);
    CHECK(
        std::any_of(lines.begin(), lines.end(), [&](const auto& line) { return line.contains(url + "."); }));
    for (const auto& line : lines) CHECK(widthOf(line) <= static_cast<float>(width));
    CHECK(wrappedHeight(text, width) == 17 * lines.size());
    // No word would have had room in the line above.
    for (int i = 1; i < lines.size(); ++i)
      CHECK(widthOf(lines[i - 1] + " " + lines[i].upToFirstOccurrenceOf(" ", false, false)) >
            static_cast<float>(width));
  }
  CHECK(wrappedLines("", 100).isEmpty());
  CHECK(wrappedHeight("", 100) == 0);
}

TEST_CASE("a word that is wider than a line breaks after its slashes, or anywhere") {
  const juce::String path = "/home/somebody/" + juce::String::repeatedString("folder/", 40) + "song.wav:";
  const juce::StringArray lines = wrappedLines("cannot read " + path + " now", 300);
  CHECK(lines[0] == "cannot read");
  for (int i = 1; i + 1 < lines.size(); ++i)
    CHECK((lines[i].endsWithChar('/') || lines[i].endsWith("/song.wav:")));
  CHECK(lines.joinIntoString(" ").endsWith("/song.wav: now"));
  CHECK(lines.joinIntoString("").removeCharacters(" ") == "cannotread" + path + "now");
  for (const auto& line : lines) CHECK(widthOf(line) <= 300.0F);

  const juce::String flat = juce::String::repeatedString("w", 900);
  const juce::StringArray pieces = wrappedLines(flat, 200);
  CHECK(pieces.joinIntoString("") == flat);
  for (const auto& piece : pieces) CHECK(widthOf(piece) <= 200.0F);
  CHECK(wrappedLines("ww", 1) == juce::StringArray{"w", "w"});  // no width is too small to end

  const juce::StringArray much = wrappedLines(juce::String::repeatedString("w", 70'000), 200);
  CHECK(much.joinIntoString("") ==
        juce::String::repeatedString("w", 1000) + juce::String::fromUTF8("\u2026"));
}

TEST_CASE("a recording that has failed says why, whole, to the eye, the keyboard and a screen reader") {
  Home home;
  Host host("live");
  Window window(*host.processor);
  FileQueue& queue = host.processor->files();
  queue.settings().folder = home.folder();
  for (const EditorSize size : {kSmallestEditor, StemlaneEditor::kUsualSize}) {
    window.editor.setSize(size.width, size.height);
    queue.clearDone();
    separate(window, queue, {"/music/unclear.wav"});
    const juce::String problem = queue.items().front().problem;
    CHECK(problem.endsWith("words words words"));
    auto& row = window.get<FileRow>("unclear.wav");
    CHECK(row.getDescription() == problem);
    CHECK(row.getTooltip() == juce::File("/music/unclear.wav").getFullPathName());
    auto& remove = window.get<juce::TextButton>("Remove unclear.wav");
    CHECK(remove.getWantsKeyboardFocus());
    CHECK(remove.getAccessibilityHandler()->getDescription() == problem);
    // All its lines are drawn, below the name and left of the button.
    const int expected = wrappedLines(problem, remove.getX() - 16).size();
    CHECK(expected >= 3);
    const juce::Image image = row.createComponentSnapshot(row.getLocalBounds());
    CHECK(numLines(image, {0, 32, remove.getX(), row.getHeight() - 33}) == expected);
  }
}

TEST_CASE("what is to be known of stems stands above them") {
  Home home;
  Host host("live");
  Window window(*host.processor);
  FileQueue& queue = host.processor->files();
  queue.settings() = {"live", "mp3", home.folder()};
  separate(window, queue, {"/music/loud.wav", "/music/one.wav"});
  CHECK(queue.items().front().problem == "clipped, its peak was 1.20");
  auto& loud = window.get<FileRow>("loud.wav");
  CHECK(loud.getDescription() == "clipped, its peak was 1.20");
  CHECK(loud.getHeight() > window.get<FileRow>("one.wav").getHeight());
  const juce::Image image = loud.createComponentSnapshot(loud.getLocalBounds());
  CHECK(numLines(image, {0, 33, 200, window.get<StemChip>("vocals of loud").getY() - 34}) == 1);
}

TEST_CASE("a stem file is one file, called after its recording, and is chosen again next time") {
  Home home;
  Host host("live");
  Window window(*host.processor);
  window.editor.showFiles();
  auto& format = window.get<juce::ComboBox>("Format");
  format.setSelectedItemIndex(format.getNumItems() - 1, juce::sendNotificationSync);
  CHECK(format.getText() == "Stem file");
  FileQueue& queue = host.processor->files();
  CHECK(queue.settings().format == "stem.mp4");
  queue.settings().folder = home.folder().getChildFile("stems");
  separate(window, queue, {"/music/one.wav"});
  auto& chip = window.get<StemChip>("stems of one");
  CHECK(chip.file() == queue.settings().folder.getChildFile("one/one.stem.mp4"));
  CHECK(chip.file().existsAsFile());
  CHECK(queue.items().front().stems.front().waveform == std::vector<int>{0, 25, 50, 100});
  CHECK_FALSE(window.get<juce::TextButton>("Play stems of one.wav").isEnabled());
  CHECK(Host("live").processor->files().settings().format == "stem.mp4");
}

TEST_CASE("settings and about fit the smallest editor or scroll there, each value beside its name") {
  Host host("live");
  host.processor->setAudioDevice({[] { return juce::String("none"); }, [] {}});  // as in the application
  Window window(*host.processor);
  window.editor.setSize(kSmallestEditor.width, kSmallestEditor.height);
  for (const auto& [title, show] :
       {std::pair<const char*, std::function<void()>>{"Settings", [&] { window.editor.showSettings(); }},
        {"About", [&] { window.editor.showAbout(); }}}) {
    show();
    auto& page = window.get<InfoPanel>(title);
    auto& close = window.get<juce::TextButton>("Close");
    CHECK(close.getBottom() < kSmallestEditor.height);
    juce::Viewport* list = nullptr;
    for_each_component(page, [&](juce::Component& part) {
      if (auto* found = dynamic_cast<juce::Viewport*>(&part)) list = found;
    });
    REQUIRE(list != nullptr);
    CHECK(list->getBottom() < close.getY());
    auto& content = *list->getViewedComponent();
    int last = 0;
    for (auto* row : content.getChildren()) {
      INFO(row->getTitle().toStdString());
      CHECK(row->getY() == last);
      CHECK(row->getRight() <= list->getMaximumVisibleWidth());
      for (auto* button : row->getChildren()) CHECK(row->getLocalBounds().contains(button->getBounds()));
      last = row->getBottom();
    }
    list->setViewPosition(0, content.getHeight());
    CHECK(list->getViewArea().getBottom() == last);  // the last row can be seen
    window.editor.closePage();
    window.editor.refresh();
  }
}

TEST_CASE("the status is copied for a report, and a log that a failed engine has written is offered") {
  Home home;
  const juce::File log = home.folder().getChildFile("engine.log");
  REQUIRE(log.replaceWithText("what happened"));
  setenv("STEMLANE_ENGINE_LOG", log.getFullPathName().toRawUTF8(), 1);
  {
    Host host("live");
    Window window(*host.processor);
    CHECK_FALSE(window.get<juce::TextButton>("Show log").isVisible());
    host.processor->setModel("nobody");
    window.editor.refresh();
    CHECK(window.get<juce::TextButton>("Show log").isVisible());
    window.click(window.get<juce::TextButton>("Copy status"));
    const juce::String copied = juce::SystemClipboard::getTextFromClipboard();
    const StatusTexts shown = statusTexts(*host.processor);
    CHECK(copied == "Stemlane " JucePlugin_VersionString ", model nobody\n" + shown.state + ": " +
                        shown.says + "\n" + shown.figures);
    CHECK(copied.contains("model 'nobody' is not installed"));
  }
  unsetenv("STEMLANE_ENGINE_LOG");
}
