// SPDX-License-Identifier: GPL-3.0-or-later
// What the user has done to the parameters: undo, redo, and two settings to compare.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <array>
#include <utility>
#include <vector>

namespace stemlane {

/// Listens to gestures, which only an editor makes: automation is no edit. Message thread only.
class Edits final : private juce::AudioProcessorParameter::Listener {
 public:
  using Parameters = juce::Array<juce::AudioProcessorParameter*>;
  /// A parameter and the position, 0 to 1, that it is to take.
  using Setting = std::pair<juce::AudioProcessorParameter*, float>;

  /// Edits are kept up to this many.
  static constexpr std::size_t kMostEdits = 500;

  /// `watched` outlive this.
  explicit Edits(Parameters watched);
  ~Edits() override;
  Edits(const Edits&) = delete;
  Edits& operator=(const Edits&) = delete;

  /// Sets all as one edit.
  void apply(const std::vector<Setting>& settings);

  bool canUndo() const { return !current().done.empty(); }
  bool canRedo() const { return !current().undone.empty(); }
  void undo();
  void redo();

  /// 0 (A) or 1 (B). Each keeps its values and its edits; B begins as a copy of A.
  int slot() const { return slot_; }
  void switchSlot();
  void copyToOtherSlot();

 private:
  struct Change {
    juce::AudioProcessorParameter* parameter;
    float before;
    float after;
  };
  using Edit = std::vector<Change>;
  struct Slot {
    std::vector<float> values;  ///< of the slot that is not heard
    std::vector<Edit> done, undone;
  };

  void parameterValueChanged(int, float) override {}
  void parameterGestureChanged(int index, bool begins) override;
  void close();
  void play(const std::vector<Setting>& settings);
  std::vector<float> values() const;
  Slot& current() { return slots_[static_cast<std::size_t>(slot_)]; }
  const Slot& current() const { return slots_[static_cast<std::size_t>(slot_)]; }

  const Parameters watched_;
  std::array<Slot, 2> slots_;
  int slot_ = 0;
  Edit open_;      ///< what the gestures that are under way have touched
  int depth_ = 0;  ///< of those gestures
  bool replaying_ = false;
};

}  // namespace stemlane
