// SPDX-License-Identifier: GPL-3.0-or-later
// Threads: parameters, state and editor while another thread plays.
#include <atomic>
#include <mutex>
#include <thread>

#include "checks.h"

namespace validator {
namespace {

/// Plays on a thread of its own, at the pace of a sound card, until it goes.
class AudioThread {
 public:
  AudioThread(Instance& instance, juce::int64 seed)
      : instance_(instance), random_(seed), thread_([this] { run(); }) {}
  ~AudioThread() { stop(); }

  /// Ends the thread; throws what it has found.
  void finish() {
    stop();
    expect(problem_.isEmpty(), problem_);
    expect(numBlocks_ > 0, "nothing was played");
  }

 private:
  void stop() {
    go_ = false;
    if (thread_.joinable()) thread_.join();
  }
  void run() {
    Player player(instance_, random_);
    player.start();
    try {
      for (; go_; ++numBlocks_) {
        player.play(random_.nextInt(513));
        if (numBlocks_ % 8 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    } catch (const Failure& failure) {
      problem_ = failure.what();
    }
  }

  Instance& instance_;
  juce::Random random_;
  std::atomic<bool> go_{true};
  int numBlocks_ = 0;
  juce::String problem_;
  std::thread thread_;
};

std::unique_ptr<Instance> playable(Subject& subject) {
  auto instance = subject.create();
  prepare(*instance, 44100.0, 512);
  return instance;
}

void parameters(Subject& subject, juce::Random& random) {
  const auto instance = playable(subject);
  AudioThread audio(*instance, random.nextInt64());
  std::atomic<bool> go{true};
  const auto seed = random.nextInt64();
  std::thread other([&] {
    juce::Random own(seed);
    while (go) {
      auto* parameter = instance->getParameters()[own.nextInt(20)];
      parameter->setValue(own.nextFloat());
      std::this_thread::yield();
    }
  });
  for (int round = 0; round < 300; ++round) {
    auto* parameter = instance->getParameters()[random.nextInt(20)];
    parameter->setValue(random.nextFloat());
    parameter->getText(parameter->getValue(), 64);
    if (round % 20 == 0) pump(2);
  }
  go = false;
  other.join();
  audio.finish();
}

void states(Subject& subject, juce::Random& random) {
  const auto instance = playable(subject);
  std::vector<juce::MemoryBlock> saved(2);
  instance->getStateInformation(saved[0]);
  AudioThread audio(*instance, random.nextInt64());
  for (int round = 0; round < 60; ++round) {
    auto& block = saved[static_cast<std::size_t>(random.nextInt(2))];
    if (block.isEmpty() || random.nextBool()) {
      block.reset();
      instance->getStateInformation(block);
    } else {
      instance->setStateInformation(block.getData(), static_cast<int>(block.getSize()));
    }
    pump(2);
  }
  audio.finish();
}

void models(Subject& subject, juce::Random& random) {
  const auto instance = playable(subject);
  juce::MemoryBlock state = innerState(*instance);
  AudioThread audio(*instance, random.nextInt64());
  for (int round = 0; round < 12; ++round) {
    // Names of the same length keep the rest of the state where it is.
    const char* names[] = {"live", "mix ", "none"};
    const char* name = names[random.nextInt(3)];
    const juce::String whole(juce::CharPointer_UTF8(static_cast<const char*>(state.getData()) + 8));
    const int place = whole.indexOf("model=\"") + 7;
    expect(place > 7, "the state names no model");
    juce::MemoryBlock changed(state);
    changed.copyFrom(name, 8 + place, 4);
    setInnerState(*instance, changed);
    pump(30);
  }
  audio.finish();
}

juce::AudioProcessorEditor* openEditor(juce::AudioPluginInstance& instance) {
#if JUCE_VERSION >= 0x08000d
  return instance.createEditorAndMakeActive();
#else
  return instance.createEditorIfNeeded();
#endif
}

void editor(Subject& subject, juce::Random& random) {
  const auto instance = playable(subject);
  expect(instance->hasEditor(), "no editor");
  AudioThread audio(*instance, random.nextInt64());
  for (int round = 0; round < 8; ++round) {
    const std::unique_ptr<juce::AudioProcessorEditor> view(openEditor(*instance));
    expect(view != nullptr && view->getWidth() > 0, "the editor has no size");
    if (random.nextBool()) view->setSize(100 + random.nextInt(900), 100 + random.nextInt(500));
    pump(random.nextInt(60));
  }
  audio.finish();
}

}  // namespace

std::vector<Check> threadChecks() {
  return {{"parameters move while another thread plays", parameters},
          {"states are saved and loaded while another thread plays", states},
          {"models change while another thread plays", models},
          {"the editor opens and closes while another thread plays", editor}};
}

}  // namespace validator
