// SPDX-License-Identifier: GPL-3.0-or-later
// See FileRow.h.
#include "editor/FileRow.h"

#include <algorithm>

#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

constexpr int kHeadHeight = 32;
constexpr int kPlainHeight = 56;
constexpr int kButtonWidth = 100;
constexpr int kPlayWidth = 52;
constexpr int kGap = 6;

juce::String stateText(const FileQueue::Item& item) {
  switch (item.state) {
    case FileQueue::State::waiting:
      return "waiting";
    case FileQueue::State::running:
      return item.share > 0.0 ? juce::String(juce::roundToInt(100.0 * item.share)) + " %" : "starting";
    case FileQueue::State::done:
    case FileQueue::State::failed:
      return item.problem;
  }
  return {};
}

bool hasStems(const FileQueue::Item& item) {
  return item.state == FileQueue::State::done && !item.stems.empty();
}

}  // namespace

FileRow::FileRow(StemlaneProcessor& processor, int index) : processor_(processor), index_(index) {
  setInterceptsMouseClicks(false, true);
  button_.onClick = [this] { press(); };
  addAndMakeVisible(button_);
  play_.onClick = [this] { togglePlaying(); };
  addChildComponent(play_);
}

void FileRow::press() {
  FileQueue& queue = processor_.files();
  // The list may have become shorter since this row was drawn.
  const auto place = static_cast<std::size_t>(index_);
  if (place >= queue.items().size()) return;
  const FileQueue::Item& item = queue.items()[place];
  if (hasStems(item))
    item.stems.front().file.revealToUser();
  else
    queue.remove(index_);
}

void FileRow::show(const FileQueue::Item& item) {
  const bool otherStems = item.stems != item_.stems;
  item_ = item;
  setTitle(item.file.getFileName());
  setDescription(stateText(item));
  button_.setButtonText(hasStems(item)                            ? "Show folder"
                        : item.state == FileQueue::State::running ? "Cancel"
                                                                  : "Remove");
  button_.setTitle(button_.getButtonText() + " " + item.file.getFileName());
  if (otherStems) makeChips();
  play_.setVisible(hasStems(item));
  showPlayed();
  resized();
  repaint();
}

void FileRow::makeChips() {
  chips_.clear();
  for (const FileQueue::Stem& stem : item_.stems) {
    const std::size_t number = chips_.size();
    chips_.push_back(std::make_unique<StemChip>(stem));
    chips_.back()->onMute = [this, number] {
      if (isPlaying() && number < Preview::kMostFiles)
        processor_.preview().setMuted(number, chips_[number]->isMuted());
    };
    addAndMakeVisible(*chips_.back());
  }
}

bool FileRow::isPlaying() const {
  return hasStems(item_) && processor_.preview().playing() == item_.stems.front().file;
}

void FileRow::togglePlaying() {
  Preview& preview = processor_.preview();
  if (isPlaying()) {
    preview.stop();
  } else {
    std::vector<juce::File> files;
    for (const auto& stem : item_.stems) files.push_back(stem.file);
    for (std::size_t i = 0; i < std::min(chips_.size(), Preview::kMostFiles); ++i)
      preview.setMuted(i, chips_[i]->isMuted());
    preview.play(files, processor_.getSampleRate());
  }
  showPlayed();
}

void FileRow::showPlayed() {
  const bool plays = isPlaying();
  const bool isWav = hasStems(item_) && item_.stems.front().file.hasFileExtension("wav");
  const bool hasAudio = processor_.numChannels() > 0;
  play_.setButtonText(plays ? "Stop" : "Play");
  play_.setTitle(play_.getButtonText() + " stems of " + item_.file.getFileName());
  play_.setToggleState(plays, juce::dontSendNotification);
  play_.setEnabled(isWav && hasAudio);
  play_.setTooltip(!isWav      ? "Only stems in WAV can be played here"
                   : !hasAudio ? "There is no audio to play it through: the host has not started any"
                               : "Plays the stems that are not muted, through this plugin's output");
  for (auto& chip : chips_) chip->showPlayed(plays ? processor_.preview().share() : -1.0);
}

int FileRow::height() const {
  return chips_.empty() ? kPlainHeight : kHeadHeight + StemChip::kHeight + 2 * kGap;
}

void FileRow::paint(juce::Graphics& g) {
  g.setColour(colours::outline);
  g.fillRect(getLocalBounds().removeFromBottom(1));
  auto area = getLocalBounds().reduced(2, 0).withTrimmedTop(4);
  auto top = area.removeFromTop(kHeadHeight - 4).withTrimmedRight(kButtonWidth + 12);
  if (play_.isVisible()) top.removeFromLeft(kPlayWidth + 10);
  const bool failed = item_.state == FileQueue::State::failed;
  g.setFont(StemlaneLook::font(13.0F));
  if (failed) {
    g.setColour(colours::bad);
    g.drawText(stateText(item_), area.withTrimmedRight(kButtonWidth + 12).withTrimmedBottom(6),
               juce::Justification::centredLeft);
  } else {
    const juce::String said = stateText(item_);
    g.setColour(colours::faint);
    g.drawText(said, top, juce::Justification::centredRight);
    top.removeFromRight(StemlaneLook::font(13.0F).getStringWidth(said) + 10);
  }
  g.setColour(colours::text);
  g.setFont(StemlaneLook::font(14.0F, true));
  g.drawText(item_.file.getFileName(), top, juce::Justification::centredLeft);
  if (item_.state != FileQueue::State::running) return;
  const auto bar =
      area.withTrimmedRight(kButtonWidth + 12).withSizeKeepingCentre(area.getWidth() - kButtonWidth - 12, 6);
  g.setColour(colours::groove);
  g.fillRect(bar);
  g.setColour(colours::focus);
  g.fillRect(bar.withWidth(juce::roundToInt(bar.getWidth() * item_.share)));
}

void FileRow::resized() {
  auto area = getLocalBounds();
  auto top = area.removeFromTop(kHeadHeight);
  button_.setBounds((chips_.empty() ? getLocalBounds() : top)
                        .removeFromRight(kButtonWidth)
                        .withSizeKeepingCentre(kButtonWidth, 24));
  play_.setBounds(
      top.removeFromLeft(kPlayWidth + 2).withTrimmedLeft(2).withSizeKeepingCentre(kPlayWidth, 24));
  if (chips_.empty()) return;
  area = area.withTrimmedLeft(2).withTrimmedBottom(kGap + 2);
  const auto count = static_cast<int>(chips_.size());
  const int width = (area.getWidth() - (count - 1) * kGap) / count;
  for (auto& chip : chips_) {
    chip->setBounds(area.removeFromLeft(width));
    area.removeFromLeft(kGap);
  }
}

}  // namespace stemlane
