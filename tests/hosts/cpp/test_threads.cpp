// SPDX-License-Identifier: GPL-3.0-or-later
// What different threads of a host do to one instance at once. The thread sanitizer runs these too.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

#include "editor/PluginEditor.h"
#include "processor_fixture.h"

using namespace stemlane;

TEST_CASE("a reset from any thread meets neither a block nor a change of the model") {
  Host host("live", layout(kStereo, kNone), false);
  std::atomic<bool> done{false};
  // As JUCE's VST3 wrapper does: blocks under the callback lock, reset without it.
  std::thread audio([&] {
    Buffer buffer(2, 64);
    juce::MidiBuffer midi;
    while (!done) {
      const juce::ScopedLock lock(host.processor->getCallbackLock());
      buffer.clear();
      if (!host.processor->isSuspended()) host.processor->processBlock(buffer, midi);
    }
  });
  std::thread control([&] {
    while (!done) {
      host.processor->reset();
      static_cast<void>(host.processor->status());
    }
  });
  for (int round = 0; round < 20; ++round) host.processor->setModel(round % 2 == 0 ? "mix" : "live");
  done = true;
  audio.join();
  control.join();

  // And it was a reset: nothing of the past comes out.
  host.processor->setNonRealtime(true);
  host.play(noise(2, 10'000));
  host.processor->reset();
  CHECK(host.play(Audio(2, 20'000)).getMagnitude(0, 20'000) == 0.0F);
}

TEST_CASE("the editor's frames do not wait for a model that is being changed") {
  // A list of models that nobody finishes writing: the change stands still in the middle.
  const auto folder = std::filesystem::temp_directory_path() / ("stemlane-" + std::to_string(getpid()));
  const auto list = folder / "stemlane" / "models" / "models.index";
  std::filesystem::create_directories(list.parent_path());
  Host host("live");
  StemlaneEditor editor(*host.processor);
  REQUIRE(mkfifo(list.c_str(), 0600) == 0);
  setenv("XDG_DATA_HOME", folder.c_str(), 1);

  std::thread change([&] { host.processor->setModel("mix"); });
  while (!host.processor->isSuspended()) std::this_thread::yield();
  std::atomic<bool> shown{false};
  // Opens the list only after the frame, or when that has waited for far too long.
  std::thread writer([&] {
    wait_for([&] { return shown.load(); });
    CHECK(shown);
    std::ofstream(list) << "#\n";
  });
  editor.refresh();
  shown = true;
  writer.join();
  change.join();
  CHECK(host.processor->modelName() == "mix");
  unsetenv("XDG_DATA_HOME");
  std::filesystem::remove_all(folder);
}
