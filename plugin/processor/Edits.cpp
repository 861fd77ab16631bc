// SPDX-License-Identifier: GPL-3.0-or-later
// See Edits.h.
#include "processor/Edits.h"

#include <algorithm>

namespace stemlane {

Edits::Edits(Parameters watched) : watched_(std::move(watched)) {
  for (auto* parameter : watched_) parameter->addListener(this);
}

Edits::~Edits() {
  for (auto* parameter : watched_) parameter->removeListener(this);
}

void Edits::parameterGestureChanged(int index, bool begins) {
  if (replaying_) return;
  if (!begins) {
    if (depth_ > 0 && --depth_ == 0) close();
    return;
  }
  ++depth_;
  for (auto* parameter : watched_) {
    if (parameter->getParameterIndex() != index) continue;
    const bool known = std::any_of(open_.begin(), open_.end(),
                                   [&](const Change& change) { return change.parameter == parameter; });
    if (!known) open_.push_back({parameter, parameter->getValue(), 0.0F});
  }
}

void Edits::close() {
  for (Change& change : open_) change.after = change.parameter->getValue();
  std::erase_if(open_, [](const Change& change) { return change.before == change.after; });
  Edit edit;
  edit.swap(open_);
  if (edit.empty()) return;
  Slot& slot = current();
  slot.undone.clear();
  slot.done.push_back(std::move(edit));
  if (slot.done.size() > kMostEdits) slot.done.erase(slot.done.begin());
}

void Edits::apply(const std::vector<Setting>& settings) {
  ++depth_;
  play(settings);
  if (--depth_ == 0) close();
}

void Edits::play(const std::vector<Setting>& settings) {
  for (const auto& [parameter, value] : settings) {
    if (parameter->getValue() == value) continue;
    parameter->beginChangeGesture();
    parameter->setValueNotifyingHost(value);
    parameter->endChangeGesture();
  }
}

void Edits::undo() {
  if (!canUndo() || depth_ > 0) return;
  Slot& slot = current();
  Edit edit = std::move(slot.done.back());
  slot.done.pop_back();
  std::vector<Setting> settings;
  for (const Change& change : edit) settings.emplace_back(change.parameter, change.before);
  const juce::ScopedValueSetter<bool> replaying(replaying_, true);
  play(settings);
  slot.undone.push_back(std::move(edit));
}

void Edits::redo() {
  if (!canRedo() || depth_ > 0) return;
  Slot& slot = current();
  Edit edit = std::move(slot.undone.back());
  slot.undone.pop_back();
  std::vector<Setting> settings;
  for (const Change& change : edit) settings.emplace_back(change.parameter, change.after);
  const juce::ScopedValueSetter<bool> replaying(replaying_, true);
  play(settings);
  slot.done.push_back(std::move(edit));
}

std::vector<float> Edits::values() const {
  std::vector<float> all;
  for (const auto* parameter : watched_) all.push_back(parameter->getValue());
  return all;
}

void Edits::switchSlot() {
  if (depth_ > 0) return;
  current().values = values();
  slot_ = 1 - slot_;
  const std::vector<float>& kept = current().values;
  if (kept.empty()) return;
  std::vector<Setting> settings;
  for (std::size_t i = 0; i < kept.size(); ++i) settings.emplace_back(watched_[static_cast<int>(i)], kept[i]);
  const juce::ScopedValueSetter<bool> replaying(replaying_, true);
  play(settings);
}

void Edits::copyToOtherSlot() {
  Slot& other = slots_[static_cast<std::size_t>(1 - slot_)];
  other = Slot{values(), {}, {}};
}

}  // namespace stemlane
