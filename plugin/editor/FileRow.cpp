// SPDX-License-Identifier: GPL-3.0-or-later
// See FileRow.h.
#include "editor/FileRow.h"

#include <algorithm>

#include "editor/StemlaneLook.h"
#include "editor/WrappedText.h"
#include "editor/drag_out.h"

namespace stemlane {
namespace {

constexpr int kHeadHeight = 32;
constexpr int kPlainHeight = 56;
constexpr int kButtonWidth = 100;
constexpr int kPlayWidth = 52;
constexpr int kGripWidth = 16;
constexpr int kGap = 6;

/// Beside the name; empty once there is more to say.
juce::String progressText(const FileQueue::Item& item) {
  if (item.state == FileQueue::State::waiting) return "waiting";
  if (item.state != FileQueue::State::running) return {};
  return item.share > 0.0 ? juce::String(juce::roundToInt(100.0 * item.share)) + " %" : "starting";
}

/// Why it has failed, or what is to be known of its stems.
juce::String resultText(const FileQueue::Item& item) {
  return progressText(item).isEmpty() ? item.problem : juce::String();
}

int textWidth(int width) {
  return width - kButtonWidth - 16;
}

bool hasStems(const FileQueue::Item& item) {
  return item.state == FileQueue::State::done && !item.stems.empty();
}

/// Right of the name: how it stands, or that its stems can be dragged together.
juce::String besideName(const FileQueue::Item& item) {
  return hasStems(item) && item.stems.size() > 1 ? juce::String("Drag all") : progressText(item);
}

/// Six dots: here something can be taken hold of.
void drawGrip(juce::Graphics& g, juce::Rectangle<int> area) {
  const auto centre = area.getCentre().toFloat();
  for (const float x : {-2.5F, 2.5F})
    for (const float y : {-5.0F, 0.0F, 5.0F})
      g.fillEllipse(juce::Rectangle<float>(2.5F, 2.5F).withCentre(centre.translated(x, y)));
}

}  // namespace

FileRow::FileRow(StemlaneProcessor& processor, int index) : processor_(processor), index_(index) {
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
  const juce::String said = progressText(item) + resultText(item);
  setTitle(item.file.getFileName());
  setDescription(said);
  setTooltip((hasStems(item) ? "Drag it into the DAW or a folder for all its stems. " : "") +
             item.file.getFullPathName());
  setMouseCursor(hasStems(item) ? juce::MouseCursor::DraggingHandCursor : juce::MouseCursor::NormalCursor);
  button_.setButtonText(hasStems(item)                            ? "Show folder"
                        : item.state == FileQueue::State::running ? "Cancel"
                                                                  : "Remove");
  button_.setTitle(button_.getButtonText() + " " + item.file.getFileName());
  button_.setDescription(said);  // the keyboard comes by here
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

int FileRow::textHeight(int width) const {
  const int height = wrappedHeight(resultText(item_), textWidth(width));
  return height > 0 ? height + kGap : 0;
}

int FileRow::heightFor(int width) const {
  const int below = textHeight(width) + (chips_.empty() ? 0 : StemChip::kHeight + 2 * kGap);
  return std::max(kPlainHeight, kHeadHeight + below);
}

void FileRow::paint(juce::Graphics& g) {
  g.setColour(colours::outline);
  g.fillRect(getLocalBounds().removeFromBottom(1));
  auto area = getLocalBounds().withWidth(textWidth(getWidth()) + 2).withTrimmedLeft(2);
  auto top = area.removeFromTop(kHeadHeight);
  if (play_.isVisible())
    top.removeFromLeft(kPlayWidth + 10);
  else
    top.removeFromTop(4);  // the text below is nearer than chips are
  const bool failed = item_.state == FileQueue::State::failed;
  drawWrapped(g, resultText(item_), area, failed ? colours::bad : colours::faint);
  const juce::String aside = besideName(item_);
  const int asideWidth = juce::roundToInt(StemlaneLook::textWidth(StemlaneLook::font(13.0F), aside)) + 2;
  g.setFont(StemlaneLook::font(13.0F));
  g.setColour(colours::faint);
  g.drawText(aside, top.removeFromRight(asideWidth), juce::Justification::centredRight);
  if (!chips_.empty() && aside.isNotEmpty()) drawGrip(g, top.removeFromRight(kGripWidth));
  top.removeFromRight(8);
  g.setColour(colours::text);
  g.setFont(StemlaneLook::font(14.0F, true));
  g.drawText(item_.file.getFileName(), top, juce::Justification::centredLeft);
  if (item_.state != FileQueue::State::running) return;
  const auto bar = area.withSizeKeepingCentre(area.getWidth(), 6);
  g.setColour(colours::groove);
  g.fillRect(bar);
  g.setColour(colours::focus);
  g.fillRect(bar.withWidth(juce::roundToInt(bar.getWidth() * item_.share)));
}

void FileRow::mouseDrag(const juce::MouseEvent& event) {
  if (!hasStems(item_)) return;
  std::vector<juce::File> files;
  for (const FileQueue::Stem& stem : item_.stems) files.push_back(stem.file);
  dragOut(files, *this, event);
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
  area = area.withTrimmedTop(textHeight(getWidth())).withTrimmedLeft(2).withTrimmedBottom(kGap + 2);
  const auto count = static_cast<int>(chips_.size());
  const int width = (area.getWidth() - (count - 1) * kGap) / count;
  for (auto& chip : chips_) {
    chip->setBounds(area.removeFromLeft(width));
    area.removeFromLeft(kGap);
  }
}

}  // namespace stemlane
