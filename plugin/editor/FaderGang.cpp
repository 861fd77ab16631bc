// SPDX-License-Identifier: GPL-3.0-or-later
// See FaderGang.h.
#include "editor/FaderGang.h"

#include <algorithm>

#include "processor/StemParameters.h"

namespace stemlane {
namespace {

bool isSilent(float gainDb) {
  return gainDb < kSilentBelowDb;
}

void set(juce::AudioParameterFloat& fader, float gainDb) {
  const float value = fader.convertTo0to1(faderRange().snapToLegalValue(gainDb));
  if (value != static_cast<juce::AudioProcessorParameter&>(fader).getValue())
    fader.setValueNotifyingHost(value);
}

}  // namespace

void FaderGang::setPresent(const juce::AudioParameterFloat& fader, bool present) {
  for (Member& member : members_)
    if (member.fader == &fader) member.present = present;
}

void FaderGang::begin(juce::AudioParameterFloat& moved) {
  end();
  moving_.push_back({&moved, moved.get(), true});
  const bool isMember = std::any_of(members_.begin(), members_.end(),
                                    [&](const Member& member) { return member.fader == &moved; });
  if (linked_ && isMember && !isSilent(moved.get()))
    for (const Member& member : members_)
      if (member.fader != &moved && member.present && !isSilent(member.fader->get()))
        moving_.push_back({member.fader, member.fader->get(), true});
  for (const Member& member : moving_) member.fader->beginChangeGesture();
}

void FaderGang::move(float gainDb) {
  if (moving_.empty()) return;
  set(*moving_.front().fader, gainDb);
  const float changeDb = moving_.front().fader->get() - moving_.front().startDb;
  for (std::size_t i = 1; i < moving_.size(); ++i)
    set(*moving_[i].fader, juce::jlimit(kSilenceDb, kHighestDb, moving_[i].startDb + changeDb));
}

void FaderGang::end() {
  for (const Member& member : moving_) member.fader->endChangeGesture();
  moving_.clear();
}

}  // namespace stemlane
