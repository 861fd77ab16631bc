// SPDX-License-Identifier: GPL-3.0-or-later
// The pages "Models" and "Files", with a hand at the window. The tests' engine answers as the command line
// would, fetches nothing, and "installs" models in a home of its own.
#include <set>

#include "editor/Page.h"
#include "editor/StemChip.h"
#include "editor/WrappedText.h"
#include "files_window.h"

using namespace stemlane;

namespace {

/// An editor with the page of models, its list complete.
struct Shop {
  Home home;
  Host host{"live"};
  Window window{*host.processor};
  ModelShop& shop = host.processor->shop();

  Shop() {
    window.editor.showModels();
    REQUIRE(poll_until(*host.processor, [&] { return !shop.isListing(); }));
    REQUIRE(find<juce::TextButton>(window.editor, add("free")) != nullptr);
  }
  static juce::String add(const char* source) { return juce::String::fromUTF8("Add\u2026 added-") + source; }
  void order(const char* source) {
    window.click(window.get<juce::TextButton>(add(source)));
    pump();
  }
  bool finished() {
    return poll_until(*host.processor, [&] { return !shop.isAdding() && !shop.isListing(); });
  }
  juce::String said() { return find<Page>(window.editor, "Models")->getDescription(); }
};

}  // namespace

TEST_CASE("the page of models lists what is here first, with what each costs and its licence") {
  Shop page;
  REQUIRE(page.shop.entries().size() == 5);
  CHECK(page.shop.entries().front().isInstalled());
  CHECK_FALSE(page.window.get<juce::TextButton>("In use Live").isEnabled());
  const auto* row = page.window.get<juce::TextButton>(Shop::add("free")).getParentComponent();
  const juce::String dot = juce::String::fromUTF8(" \u00b7 ");
  CHECK(row->getDescription() ==
        "2 stems" + dot + "15.0 s or 3.2 s" + dot + "79 MB; 6.6 dB SDR" + dot + "terms of free");
}

TEST_CASE("a model is added after its licence has been accepted, and is there at once") {
  Shop page;
  page.order("restricted");
  CHECK_FALSE(page.shop.isAdding());
  CHECK(page.said().contains("79 MB from its makers' server. Licence: terms of restricted, a README"));
  CHECK_FALSE(page.home.folder().getChildFile("stemlane/models").exists());
  page.window.click(page.window.get<juce::TextButton>("Accept and add"));
  REQUIRE(page.finished());
  CHECK(page.shop.order().problem == "");
  CHECK(page.said() == "Added: added-restricted");
  page.host.processor->setModel("added-restricted");
  CHECK(page.host.processor->status().state != EngineState::failed);
  CHECK(page.host.processor->remedy() == StemlaneProcessor::Remedy::none);
}

TEST_CASE("a model that a project asks for works as soon as it has been added") {
  Shop page;
  page.host.processor->setModel("added-free");
  REQUIRE(page.host.processor->status().state == EngineState::failed);
  page.order("free");
  page.window.click(page.window.get<juce::TextButton>("Accept and add"));
  REQUIRE(page.finished());
  pump();
  CHECK(page.host.processor->status().state != EngineState::failed);
}

TEST_CASE("whoever does not accept gets nothing, and what runs can be cancelled") {
  Shop page;
  page.order("free");
  page.window.click(page.window.get<juce::TextButton>("Cancel"));
  CHECK(page.said() == "Nothing is fetched before you ask for it");
  CHECK_FALSE(page.shop.isAdding());

  page.order("endless");
  page.window.click(page.window.get<juce::TextButton>("Accept and add"));
  REQUIRE(poll_until(*page.host.processor, [&] { return page.shop.order().stage == "downloading"; }));
  CHECK(page.said() == "endless: downloading, 25 %");
  page.window.click(page.window.get<juce::TextButton>("Cancel"));
  REQUIRE(page.finished());
  CHECK(page.shop.order().problem == "cancelled");
}

TEST_CASE("what fails says so in words") {
  Shop page;
  page.order("broken");
  page.window.click(page.window.get<juce::TextButton>("Accept and add"));
  REQUIRE(page.finished());
  CHECK(page.said() == "the server does not answer: try again");

  // Above the buttons, in as many lines as a long reason needs, for which the list makes room.
  const auto rowsInRed = [&] {
    auto& models = *find<Page>(page.window.editor, "Models");
    const juce::Image image = models.createComponentSnapshot(models.getLocalBounds());
    std::set<int> rows;
    for (int y = 0; y < image.getHeight(); ++y)
      for (int x = 0; x < image.getWidth(); ++x)
        if (image.getPixelAt(x, y) == colours::bad) rows.insert(y);
    return rows;
  };
  CHECK(*rowsInRed().rbegin() < page.window.get<juce::TextButton>("Close").getY());
  page.window.editor.setSize(kSmallestEditor.width, kSmallestEditor.height);
  page.shop.add("unclear", true);
  REQUIRE(page.finished());
  CHECK(page.said().endsWith("words words words"));
  const std::set<int> whole = rowsInRed();
  CHECK(*whole.rbegin() < page.window.get<juce::TextButton>("Close").getY());
  const int numLines = wrappedLines(page.said(), kSmallestEditor.width - 2 * 40 - 98).size();
  CHECK(numLines >= 4);
  CHECK(*whole.rbegin() - *whole.begin() >= 17 * (numLines - 1));
}

TEST_CASE(
    "weights that are dropped are added after a question, and after a second one if they are restricted") {
  Shop page;
  page.window.editor.filesDropped({"/music/weights.th"}, 0, 0);
  CHECK(page.said().startsWith("weights.th: only add weights from someone you trust"));
  page.window.click(page.window.get<juce::TextButton>("Accept and add"));
  REQUIRE(page.finished());
  CHECK(page.said() == "for research only. Add it?");
  CHECK(page.shop.order().added.isEmpty());
  page.window.click(page.window.get<juce::TextButton>("Accept and add"));
  REQUIRE(page.finished());
  CHECK(page.said() == "Added: added-own");
}

TEST_CASE("songs that are dropped become stems in a folder, one after the other") {
  FilesWindow files;
  files.queue.settings().format = "flac";
  files.drop({"/music/one.wav", "/music/broken.mp3", "/music/two.ogg"});
  REQUIRE(find<Page>(files.window.editor, "Files") != nullptr);
  files.finish();
  REQUIRE(files.queue.items().size() == 3);
  CHECK(files.queue.items()[0].state == FileQueue::State::done);
  CHECK(files.queue.items()[1].state == FileQueue::State::failed);
  CHECK(files.queue.items()[1].problem == "/music/broken.mp3: not audio");
  CHECK(files.queue.items()[2].state == FileQueue::State::done);
  pump();
  auto& vocals = files.window.get<StemChip>("vocals of one");
  CHECK(vocals.file() == files.queue.settings().folder.getChildFile("one/vocals.flac"));
  CHECK(vocals.file().existsAsFile());
  CHECK(find<StemChip>(files.window.editor, "vocals of broken") == nullptr);
  // A stem that is let go over the list it was dragged from is no song.
  const juce::String stem = vocals.file().getFullPathName();
  CHECK_FALSE(files.window.editor.isInterestedInFileDrag({stem}));
  CHECK(files.window.editor.isInterestedInFileDrag({stem, "/music/three.wav"}));
  CHECK_FALSE(files.window.editor.isInterestedInFileDrag({}));
  files.window.click(files.window.get<juce::TextButton>("Clear list"));
  CHECK(files.queue.items().empty());
}

TEST_CASE("stems of any format have the course that the command tells, or a line") {
  FilesWindow files;
  files.queue.settings() = {"live", "mp3", files.home.folder()};
  files.drop({"/music/one.wav"});
  files.finish();
  const auto& stems = files.queue.items().front().stems;
  REQUIRE(stems.size() == 4);
  CHECK(stems[0].waveform == std::vector<int>{0, 25, 50, 100});
  CHECK(stems[1].waveform.empty());
  CHECK(stems[2].waveform == std::vector<int>{100, 0, 7});
  CHECK(stems[3].waveform.empty());

  // The middle of each quarter: as many points of the stem's colour as its column is high, at least the line.
  const auto heights = [](const FileQueue::Stem& stem) {
    StemChip chip(stem);
    chip.setSize(418, StemChip::kHeight);
    const juce::Image image = chip.createComponentSnapshot(chip.getLocalBounds());
    std::vector<int> found;
    for (int x = 59; x < 409; x += 100) {
      found.push_back(0);
      for (int y = 0; y < StemChip::kHeight; ++y)
        found.back() += image.getPixelAt(x, y) == colours::stem(stem_number(stem.name.toStdString()));
    }
    return found;
  };
  const int full = heights(stems[0])[3];
  CHECK(full >= 20);
  CHECK(heights(stems[0])[0] >= 1);
  CHECK(heights(stems[0])[0] <= 2);
  CHECK(std::abs(heights(stems[0])[1] - full / 4) <= 1);
  CHECK(std::abs(heights(stems[0])[2] - full / 2) <= 1);
  CHECK(heights(stems[1]) == std::vector<int>(4, heights(stems[0])[0]));
}

TEST_CASE("stems of another recording or model are never replaced") {
  FilesWindow files;
  files.drop({"/a/{one}.wav", "/b/{one}.wav", "/a/{one}.mp3"});
  files.finish();
  files.queue.settings().model = "live";
  files.queue.add({"/a/{one}.wav"});
  files.finish();
  files.queue.add({"/a/{one}.wav"});  // the same again
  files.finish();
  const auto& items = files.queue.items();
  REQUIRE(items.size() == 5);
  const char* const folders[] = {"{one}", "{one} (2)", "{one} (3)", "{one} (4)", "{one} (4)"};
  for (std::size_t i = 0; i < items.size(); ++i) {
    REQUIRE(items[i].stems.size() == 4);
    const juce::File& vocals = items[i].stems.front().file;
    CHECK(vocals.getParentDirectory() == files.queue.settings().folder.getChildFile(folders[i]));
    CHECK(vocals.loadFileAsString() == items[i].file.getFullPathName());
  }
}

TEST_CASE("a row of a list that has become shorter does nothing") {
  FilesWindow files;
  files.drop({"/music/broken.wav"});
  files.finish();
  pump();
  auto& remove = files.window.get<juce::TextButton>("Remove broken.wav");
  files.queue.clearDone();  // told a little later
  remove.onClick();
  CHECK(files.queue.items().empty());
}

TEST_CASE("a plugin with a Python of its own adds models and separates files; formats of FFmpeg are grey") {
  const auto resources = juce::File::getSpecialLocation(juce::File::currentExecutableFile)
                             .getParentDirectory()
                             .getSiblingFile("Resources");
  REQUIRE(resources.getChildFile("python/bin/python3").create());
  struct Removed {
    juce::File folder;
    ~Removed() { folder.deleteRecursively(); }
  } const removed{resources};
  Shop page;
  CHECK(page.window.get<juce::TextButton>(Shop::add("free")).isEnabled());
  CHECK(page.window.get<juce::TextButton>("Your own file").isEnabled());

  page.window.editor.filesDropped({"/music/one.wav"}, 0, 0);
  CHECK(page.host.processor->files().items().size() == 1);
  const auto& format = page.window.get<juce::ComboBox>("Format");
  std::vector<std::string> offered;
  for (int i = 0; i < format.getNumItems(); ++i)
    if (format.isItemEnabled(format.getItemId(i))) offered.push_back(format.getItemText(i).toStdString());
  CHECK(offered == std::vector<std::string>{"WAV", "FLAC", "OGG"});
  CHECK(page.window.get<juce::TextButton>("Add files").getTooltip().startsWith("WAV, FLAC, Ogg, MP3"));
}

TEST_CASE("a recording that runs can be cancelled, and the next one begins") {
  FilesWindow files;
  files.drop({"/music/endless.wav", "/music/one.wav"});
  REQUIRE(files.poll_until([&] { return files.queue.items()[0].share == 0.5; }));
  files.queue.add({"/music/endless.wav"});  // waits or runs already
  CHECK(files.queue.items().size() == 2);
  pump();
  files.window.click(files.window.get<juce::TextButton>("Cancel endless.wav"));
  files.finish();
  CHECK(files.queue.items()[0].problem == "cancelled");
  CHECK(files.queue.items()[1].state == FileQueue::State::done);
}

TEST_CASE("a queue goes on without its editor, and ends with its instance") {
  Home home;
  Host host("live");
  host.processor->files().settings().folder = home.folder();
  {
    Window window(*host.processor);
    window.editor.filesDropped({"/music/one.wav", "/music/endless.wav"}, 0, 0);
  }
  const auto& items = host.processor->files().items();
  REQUIRE(poll_until(*host.processor, [&] { return items[1].share == 0.5; }));
  CHECK(items[0].state == FileQueue::State::done);
}

TEST_CASE("the menu of models ends with the way to more, and choosing it leaves the model alone") {
  Home home;
  Host host("live");
  Window window(*host.processor);
  auto& box = window.get<ModelBox>("Model");
  box.setSelectedItemIndex(box.getNumItems() - 1, juce::sendNotificationSync);
  CHECK(host.processor->modelName() == "live");
  CHECK(box.getText() == "Live");
  CHECK(find<Page>(window.editor, "Models") != nullptr);
}
