// SPDX-License-Identifier: GPL-3.0-or-later
// Faders that are moved by hand: one alone or, linked, all of them by as many dB.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <vector>

namespace stemlane {

/// Message thread only. Each move lies between `begin` and `end`, a gesture for the host.
class FaderGang {
 public:
  /// A fader that may be linked; it outlives the gang.
  void add(juce::AudioParameterFloat& fader) { members_.push_back({&fader, 0.0F, true}); }
  /// Whether a fader follows the others: those of stems that the model lacks do not.
  void setPresent(const juce::AudioParameterFloat& fader, bool present);
  void setLinked(bool linked) { linked_ = linked; }
  bool isLinked() const { return linked_; }

  void begin(juce::AudioParameterFloat& moved);
  /// Sets the moved fader, and with it the linked ones. A silent fader stays silent: it is no number
  /// of dB away from the others. At the ends of its way a fader waits; what they were apart stays.
  void move(float gainDb);
  void end();

 private:
  struct Member {
    juce::AudioParameterFloat* fader;
    float startDb;
    bool present;
  };

  std::vector<Member> members_;
  std::vector<Member> moving_;  ///< the moved one first
  bool linked_ = false;
};

}  // namespace stemlane
