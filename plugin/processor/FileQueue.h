// SPDX-License-Identifier: GPL-3.0-or-later
// Recordings that are separated in the background, one after the other, by the engine's command line.
#pragma once

#include <juce_events/juce_events.h>

#include <array>
#include <string>
#include <vector>

#include "processor/EngineJob.h"

namespace stemlane {

/// Tells its listeners of each change. Message thread only.
class FileQueue final : public juce::ChangeBroadcaster {
 public:
  explicit FileQueue(const std::string& engine);

  /// The first ones need no FFmpeg, which the plugin's own Python does not have.
  static constexpr std::array<const char*, 6> kFormats = {"wav", "flac", "ogg", "mp3", "m4a", "stem.mp4"};
  static constexpr const char* kStemFile = kFormats.back();  ///< all stems in one
  static constexpr int kNumWithoutFfmpeg = 3;

  enum class State { waiting, running, done, failed };
  struct Stem {
    juce::String name;
    juce::File file;
    std::vector<int> waveform = {};  ///< largest sample of equal parts, in per cent of full scale
    bool operator==(const Stem&) const = default;
  };
  struct Item {
    juce::File file;
    State state = State::waiting;
    double share = 0.0;    ///< done, 0 to 1
    juce::String problem;  ///< why it has failed, or what is to be known of it
    std::vector<Stem> stems = {};
    std::string model = {};  ///< what separates it, once it has begun
    juce::File target = {};  ///< the folder that its stems go into, once it has begun
  };
  struct Settings {
    std::string model = {};  ///< empty: the best one
    juce::String format = "wav";
    juce::File
        folder;       ///< stems go into a folder in it, called after the recording, that was not there before
    int threads = 0;  ///< that work on a recording; 0: as many as the command takes by itself
  };

  /// What the next recordings take: as it was last remembered, by whichever instance.
  Settings& settings() { return settings_; }
  /// What separates the next recording.
  std::string nextModel() const;
  /// Keeps the settings for the next instance.
  void rememberSettings() const;
  /// A folder `Stemlane` among the user's music.
  static juce::File usualFolder();

  /// Puts files at the end and starts, unless it runs. Those that wait or run are not taken twice.
  void add(const juce::StringArray& paths);
  /// While it is paused, none begins; what runs goes on to its end.
  void setPaused(bool paused);
  bool isPaused() const { return isPaused_; }
  /// Takes an item away; if it runs, it is cancelled.
  void remove(int index);
  /// Takes away what has come to an end.
  void clearDone();
  const std::vector<Item>& items() const { return items_; }
  /// Whether it is a stem of a recording in the list.
  bool hasStem(const juce::String& path) const;
  bool isRunning() const { return job_.isRunning(); }
  void poll() { job_.poll(); }

 private:
  void startNext();
  juce::File targetOf(const Item& item) const;
  void takeLine(const juce::var& line);
  void finish(const juce::String& problem);
  Item* running();

  EngineJob job_;
  bool isPaused_ = false;
  Settings settings_;
  std::vector<Item> items_;
};

}  // namespace stemlane
