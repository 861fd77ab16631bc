// SPDX-License-Identifier: GPL-3.0-or-later
// The queue of the page "Files": paused, started, cancelled, and what it remembers for the next instance.
#include "editor/FilesPage.h"
#include "files_window.h"

using namespace stemlane;

TEST_CASE("a queue is filled while it is paused, and begins with the button that says Start") {
  FilesWindow files;
  files.window.editor.showFiles();
  const auto said = [&] { return files.window.get<FilesPage>("Files").getDescription(); };
  CHECK_FALSE(said().contains("Paused"));
  files.window.click(files.window.get<juce::TextButton>("Pause"));  // before the first song
  pump();
  auto& start = files.window.get<juce::TextButton>("Start");
  CHECK(start.getButtonText() == "Start");
  CHECK(said().startsWith("Paused: add songs, then press Start"));
  files.drop({"/music/one.wav", "/music/unwanted.wav"});
  files.drop({"/music/two.wav"});
  pump();
  files.window.click(files.window.get<juce::TextButton>("Remove unwanted.wav"));
  CHECK_FALSE(files.queue.isRunning());
  REQUIRE(files.queue.items().size() == 2);
  for (const auto& item : files.queue.items()) CHECK(item.state == FileQueue::State::waiting);
  files.window.click(files.window.get<juce::TextButton>("Start"));
  files.finish();
  for (const auto& item : files.queue.items()) CHECK(item.state == FileQueue::State::done);
  CHECK(find<juce::TextButton>(files.window.editor, "Start") == nullptr);
}

TEST_CASE("a pause lets the song that runs come to its end, and holds those behind it") {
  FilesWindow files;
  files.drop({"/music/endless.wav", "/music/one.wav"});
  REQUIRE(files.poll_until([&] { return files.queue.items()[0].share == 0.5; }));
  files.window.click(files.window.get<juce::TextButton>("Pause"));
  pump();
  CHECK(files.queue.items()[0].state == FileQueue::State::running);
  files.window.click(files.window.get<juce::TextButton>("Cancel endless.wav"));
  files.finish();
  CHECK(files.queue.items()[0].problem == "cancelled");
  CHECK(files.queue.items()[1].state == FileQueue::State::waiting);
}

TEST_CASE("the threads that work on files are chosen on the page of settings, and remembered") {
  FilesWindow files;
  const auto separate = [&] {
    files.queue.add({"/music/one.wav"});
    files.finish();
    return files.queue.items().back().problem;  // the tests' engine says what it was given
  };
  CHECK(separate() == "");
  const auto choose = [&](const char* count) {
    files.window.editor.showSettings();
    files.window.click(files.window.get<juce::TextButton>("Change Threads for files"));
    pump();
    for (int threads = 1; threads <= juce::SystemStats::getNumCpus(); ++threads)
      CHECK(menu_item(files.window.editor, juce::String(threads)) != nullptr);
    REQUIRE(menu_item(files.window.editor, count) != nullptr);
    CHECK(menu_item(files.window.editor, count)->getActions().invoke(juce::AccessibilityActionType::press));
    pump();
    files.window.editor.refresh();
  };
  const auto said = [&] { return files.window.get<InfoPanel>("Settings").getDescription(); };
  const juce::String insert = ". A live insert takes one (HTDemucs and its like: up to eight)";
  choose("1");
  CHECK(wait_for([&] {
    pump();
    return files.queue.settings().threads == 1;
  }));
  CHECK(said().contains("Threads for files: 1 of " + juce::String(juce::SystemStats::getNumCpus()) +
                        " processors" + insert));
  CHECK(separate() == "computed by 1");
  CHECK(Host("live").processor->files().settings().threads == 1);
  choose("automatic");
  CHECK(wait_for([&] {
    pump();
    return files.queue.settings().threads == 0;
  }));
  CHECK(said().contains("Threads for files: automatic, one for each processor, up to eight" + insert));
  CHECK(separate() == "");
  CHECK(Host("live").processor->files().settings().threads == 0);

  const juce::File settings = files.home.folder().getChildFile("stemlane/files.xml");
  for (const char* nonsense : {"-1", "0", "many", "99999999"}) {
    REQUIRE(settings.replaceWithText(juce::String("<STEMLANE_FILES threads=\"") + nonsense + "\"/>"));
    CHECK(Host("live").processor->files().settings().threads == 0);
  }
}

TEST_CASE("model, format and folder of the files are as they were left") {
  const Home home;
  const juce::File settings = home.folder().getChildFile("stemlane/files.xml");
  {
    Host host("live");
    FileQueue& queue = host.processor->files();
    CHECK(queue.settings().format == "wav");
    CHECK(queue.settings().folder == FileQueue::usualFolder());
    queue.settings() = {"live", "flac", home.folder().getChildFile("stems")};
    queue.rememberSettings();
  }
  Host host("live");
  CHECK(host.processor->files().settings().model == "live");
  CHECK(host.processor->files().settings().format == "flac");
  CHECK(host.processor->files().settings().folder == home.folder().getChildFile("stems"));
  for (const char* damaged :
       {R"(<STEMLANE_FILES model="gone" format="exe" folder="stems"/>)", "<STEMLANE_FILES model=", ""}) {
    REQUIRE(settings.replaceWithText(damaged));
    Host next("live");
    CHECK(next.processor->files().settings().model.empty());
    CHECK(next.processor->files().settings().format == "wav");
    CHECK(next.processor->files().settings().folder == FileQueue::usualFolder());
  }
}

TEST_CASE("until one is chosen, the best of the installed models separates the files") {
  const Home home;
  const juce::File index = home.folder().getChildFile("stemlane/models/models.index");
  const Host host("live");
  FileQueue& queue = host.processor->files();
  CHECK(queue.nextModel() == "mix");
  std::string lines;
  for (const char* name : {"open-unmix-umx", "spleeter-4stems", "other", "htdemucs_6s", "htdemucs"}) {
    lines += std::string(name) + "\tThe " + name + "\t44100\t2048\t3584\t4096\tvocals\tother\n";
    REQUIRE(index.create());
    REQUIRE(index.replaceWithText(lines));
    const bool isLast = std::string(name) == "htdemucs";
    CHECK(queue.nextModel() == (isLast ? "htdemucs" : "open-unmix-umx"));
  }
  FilesPage page(*host.processor);
  const auto* const box = find<juce::ComboBox>(page, "Model for files");
  REQUIRE(box != nullptr);
  CHECK(box->getText() == "The htdemucs");
  queue.settings().model = "live";
  CHECK(queue.nextModel() == "live");
}
