// SPDX-License-Identifier: GPL-3.0-or-later
// Records what passes the insert into a file, for its stems to be made: a thread of its own takes the samples
// from the audio thread's ring and writes them.
#pragma once

#include <juce_audio_formats/juce_audio_formats.h>
#include <juce_events/juce_events.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "capture/CaptureTake.h"

namespace stemlane {

/// One capture at a time. Message thread only, except for what says otherwise.
class Capture final : private juce::Thread, private juce::AsyncUpdater {
 public:
  /// Longer ones end there.
  static constexpr double kMostSeconds = 600.0;

  Capture() : Thread("Stemlane capture") {}
  /// Drops one that is not complete.
  ~Capture() override;

  enum class State { idle, waiting, recording, writing };
  State state() const;
  /// Of the recording so far.
  double seconds() const { return static_cast<double>(take_.numWritten()) / sampleRate_; }
  /// Of the host, as last told; 0: it tells none. Any thread.
  double tempo() const noexcept { return tempo_.load(std::memory_order_relaxed); }

  struct Order {
    juce::String source;  ///< what the file is called after; empty: nothing is known
    int numBars = 0;      ///< from the host's next bar line on; 0: at once, until `stop`
    int numChannels = 2;
    double sampleRate = 44100.0;
  };
  /// Starts, unless it runs. What goes wrong is in `problem`.
  void start(const Order& order);
  /// Ends it; what has been recorded counts.
  void stop() { take_.end(); }
  /// The audio is set up anew, and no block is under way: what has been recorded ends before the gap. One
  /// that has no sample yet goes on, unless the rate has changed. Any thread.
  void passGap(bool otherRate) noexcept {
    if (otherRate || take_.numWritten() > 0) take_.end(CaptureTake::Reason::setUp);
  }
  /// How the last one has ended, if there is something to be said about it.
  const juce::String& problem() const { return problem_; }
  /// A recording is complete.
  std::function<void(const juce::File&)> onFile;

  /// Where recordings lie; those older than a week go when another one is made.
  static juce::File folder();

  /// Audio thread: a block as it comes in. `offline`: may wait for the disk.
  void process(const float* const* channels, int numChannels, int numSamples, const HostClock& clock,
               bool offline) noexcept;

 private:
  void begin(const Order& order);
  void run() override;
  bool writeReady();
  void handleAsyncUpdate() override;

  CaptureTake take_;
  bool isBusy_ = false;
  bool waitsForBars_ = false;
  double sampleRate_ = 44100.0;
  juce::File file_;
  juce::String problem_;
  // The thread's, while it runs.
  std::unique_ptr<juce::AudioFormatWriter> writer_;
  std::array<std::vector<float>, kMaxChannels> scratch_;
  bool hasFailed_ = false;
  CaptureTake::Reason reason_ = CaptureTake::Reason::asked;

  std::atomic<double> tempo_{0.0};  // writer: audio; readers: others
};

}  // namespace stemlane
