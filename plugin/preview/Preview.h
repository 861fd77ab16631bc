// SPDX-License-Identifier: GPL-3.0-or-later
// Plays stems that have become files through the plugin's output, to be heard before they are dragged away.
#pragma once

#include <juce_audio_formats/juce_audio_formats.h>
#include <juce_events/juce_events.h>

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "preview/PreviewRing.h"

namespace stemlane {

/// Message thread only, except for what says otherwise. A thread of its own reads the files.
class Preview final : private juce::Thread {
 public:
  static constexpr std::size_t kMostFiles = 16;

  Preview() : Thread("Stemlane preview") {}
  ~Preview() override { stop(); }

  /// Plays files together from the start, at the host's rate; what can not be read is left out, and what
  /// plays already ends. Files are as muted as `setMuted` has left them. False if nothing can be read.
  bool play(const std::vector<juce::File>& files, double hostRate);
  void stop();
  /// The first of the files that play, or none.
  const juce::File& playing() const { return first_; }
  /// Ends by itself with the last sample; called now and then, it notices.
  void poll();
  void setMuted(std::size_t file, bool muted) { muted_.at(file).store(muted, std::memory_order_relaxed); }
  /// Part of it that has been played, 0 to 1.
  double share() const;

  /// Audio thread: adds it to a block.
  void addTo(float* const* out, int numChannels, int numSamples) noexcept {
    ring_.addTo(out, numChannels, numSamples);
  }

  /// Reads a file of samples; null if it is none that can be read here (WAV can).
  static std::unique_ptr<juce::AudioFormatReader> reader(const juce::File& file);

 private:
  class Mix;
  void run() override;

  PreviewRing ring_;
  juce::File first_;
  double hostRate_ = 44100.0;
  double fileRate_ = 44100.0;
  double seconds_ = 0.0;                                ///< of the longest file
  std::unique_ptr<juce::PositionableAudioSource> mix_;  // the thread's, while it runs
  std::array<std::atomic<bool>, kMostFiles> muted_{};   // writer: message; reader: the thread
  std::atomic<bool> isRead_{false};                     // writer: the thread; reader: message
};

}  // namespace stemlane
