// SPDX-License-Identifier: GPL-3.0-or-later
// What different threads of a host do to one instance at once. The thread sanitizer runs these too.
#include <catch2/catch.hpp>

#if defined(__linux__)
#include <sys/inotify.h>
#include <unistd.h>
#endif

#include <atomic>
#include <mutex>
#include <thread>

#include "home.h"
#include "window.h"

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

namespace stemlane {
struct ProcessorTest {
  static std::mutex& mutex(StemlaneProcessor& processor) { return processor.mutex_; }
};
}  // namespace stemlane

TEST_CASE("the editor's frames do not wait for a model that is being changed") {
  Host host("live");
  StemlaneEditor editor(*host.processor);
  std::atomic<bool> held{false};
  std::atomic<bool> shown{false};
  // Holds what a change holds while engines start and end, until the frame is there, or has waited
  // for far too long.
  std::thread change([&] {
    const std::lock_guard lock(ProcessorTest::mutex(*host.processor));
    held = true;
    CHECK(wait_for([&] { return shown.load(); }));
  });
  while (!held) std::this_thread::yield();
  editor.refresh();
  static_cast<void>(host.processor->status());
  shown = true;
  change.join();
}

TEST_CASE("an open editor and a playing host share nothing but what is made for it") {
  Host host("live", layout(kStereo, kStereo), false);
  std::atomic<bool> done{false};
  std::thread audio([&] {
    Buffer buffer(14, 64);
    juce::MidiBuffer midi;
    while (!done) {
      const juce::ScopedLock lock(host.processor->getCallbackLock());
      for (int n = 0; n < 64; ++n) buffer.setSample(0, n, static_cast<float>(n) / 64.0F);
      if (!host.processor->isSuspended()) host.processor->processBlock(buffer, midi);
    }
  });
  // What a script does while someone looks.
  std::thread control([&] {
    juce::MemoryBlock state;
    while (!done) {
      host.processor->getStateInformation(state);
      static_cast<void>(host.processor->status());
    }
  });
  for (int round = 0; round < 6; ++round) {
    StemlaneEditor editor(*host.processor);
    for (int frame = 0; frame < 30; ++frame) {
      *host.processor->parameters().strips[0].gain = static_cast<float>(-frame);
      editor.refresh();
    }
    host.processor->setModel(round % 2 == 0 ? "mix" : "live");
    editor.setSize(700 + round, 500);
    editor.refresh();
  }
  done = true;
  audio.join();
  control.join();
  CHECK(host.processor->modelName() == "live");
}

TEST_CASE("200 windows open and close while the host plays") {
  Host host("live", layout(kStereo, kNone), false);
  std::atomic<bool> done{false};
  std::atomic<int> numBlocks{0};
  std::thread audio([&] {
    Buffer buffer(2, 256);
    juce::MidiBuffer midi;
    while (!done) {
      for (int n = 0; n < 256; ++n) buffer.setSample(0, n, static_cast<float>(n) / 256.0F);
      host.processor->processBlock(buffer, midi);
      ++numBlocks;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  for (int opening = 0; opening < 200; ++opening) {
    StemlaneEditor editor(*host.processor);
    editor.addToDesktop(0);
    editor.setVisible(true);
    REQUIRE(editor.getPeer() != nullptr);
    const int before = numBlocks;
    REQUIRE(wait_for([&] { return numBlocks > before; }));
    pump();
    editor.refresh();
    editor.getPeer()->performAnyPendingRepaintsNow();
    if (opening % 20 == 0) editor.showAbout();
    if (opening % 20 == 1) editor.setSize(700 + opening, 500);
    editor.refresh();
  }
  done = true;
  audio.join();
  pump();
  CHECK(host.processor->numChannels() == 2);
}

#if defined(__linux__)
namespace {

struct UniqueDescriptor {
  explicit UniqueDescriptor(int value) : number(value) {}
  ~UniqueDescriptor() {
    if (number >= 0) close(number);
  }
  UniqueDescriptor(const UniqueDescriptor&) = delete;
  UniqueDescriptor& operator=(const UniqueDescriptor&) = delete;
  const int number;
};

}  // namespace

TEST_CASE("a new instance reads the list of models once, and once when it is prepared") {
  // The user's list: the one beside this program is read by whoever else runs the plugin from here.
  const Home home;
  const juce::File index = home.folder().getChildFile("stemlane/models/models.index");
  REQUIRE(index.create());
  const UniqueDescriptor watch{inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
  REQUIRE(watch.number >= 0);
  REQUIRE(inotify_add_watch(watch.number, index.getFullPathName().toRawUTF8(), IN_OPEN | IN_CLOSE_NOWRITE) >=
          0);
  const auto opened = [&] {
    // Equal events in a row would be told as one.
    int count = 0;
    inotify_event event{};  // of a watched file: without a name
    while (read(watch.number, &event, sizeof event) == sizeof event)
      count += (event.mask & IN_OPEN) != 0 ? 1 : 0;
    return count;
  };
  StemlaneProcessor processor;
  CHECK(opened() == 1);
  processor.setRateAndBufferSizeDetails(44100.0, 512);
  processor.prepareToPlay(44100.0, 512);
  CHECK(opened() == 1);
}
#endif
