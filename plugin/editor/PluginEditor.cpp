// SPDX-License-Identifier: GPL-3.0-or-later
// See PluginEditor.h.
#include "editor/PluginEditor.h"

#include <algorithm>

#include "processor/ModelChoice.h"

namespace stemlane {
namespace {

constexpr int kFramesPerSecond = 30;
constexpr int kWidth = 832;
constexpr int kHeight = 470;
constexpr int kMargin = 12;
constexpr int kHeaderHeight = 56;
constexpr int kFooterHeight = 40;
constexpr int kGap = 8;

juce::Colour lampColour(EngineState state) {
  switch (state) {
    case EngineState::starting:
      return colours::waiting;
    case EngineState::ready:
      return colours::good;
    case EngineState::late:
      return colours::late;
    case EngineState::failed:
      return colours::bad;
  }
  return colours::bad;
}

const char* stateTitle(EngineState state) {
  switch (state) {
    case EngineState::starting:
      return "Engine starting";
    case EngineState::ready:
      return "Engine ready";
    case EngineState::late:
      return "Engine late";
    case EngineState::failed:
      return "Engine failed";
  }
  return "Engine failed";
}

// Six lanes, one per stem.
void paintLogo(juce::Graphics& g, juce::Rectangle<float> area) {
  const float heights[] = {0.55F, 1.0F, 0.7F, 0.4F, 0.85F, 0.6F};
  const float step = area.getWidth() / kNumStems;
  for (int stem = 0; stem < kNumStems; ++stem) {
    g.setColour(colours::stem(stem));
    const auto lane = area.withX(area.getX() + step * static_cast<float>(stem)).withWidth(step - 2.0F);
    g.fillRoundedRectangle(lane.withSizeKeepingCentre(lane.getWidth(), area.getHeight() * heights[stem]),
                           1.5F);
  }
}

}  // namespace

StemlaneEditor::StemlaneEditor(StemlaneProcessor& owner)
    : AudioProcessorEditor(owner),
      processor_(owner),
      output_("Output", colours::text, *owner.parameters().outputGain, nullptr, nullptr),
      bypassAttachment_(*owner.parameters().bypass, bypass_) {
  setLookAndFeel(&look_);
  for (int stem = 0; stem < kNumStems; ++stem) {
    const auto& parameters = owner.parameters().strips[static_cast<std::size_t>(stem)];
    auto& strip = strips_[static_cast<std::size_t>(stem)];
    strip = std::make_unique<StemStrip>(stemTitle(stem), colours::stem(stem), *parameters.gain,
                                        parameters.mute, parameters.solo);
    addAndMakeVisible(*strip);
  }
  addAndMakeVisible(output_);

  listModels();
  model_.setTitle("Model");
  model_.setTooltip("The network that separates the stems; changing it changes the latency");
  model_.onChange = [this] {
    const int item = model_.getSelectedItemIndex();
    if (item >= 0) processor_.setModel(modelNames_[static_cast<std::size_t>(item)]);
  };
  addAndMakeVisible(model_);

  bypass_.setClickingTogglesState(true);
  bypass_.setColour(juce::TextButton::buttonOnColourId, colours::solo);
  bypass_.setTooltip("The mixture as it came in, with the same latency");
  addAndMakeVisible(bypass_);

  latency_.setFont(StemlaneLook::font(13.0F));
  latency_.setColour(juce::Label::textColourId, colours::faint);
  latency_.setJustificationType(juce::Justification::centredRight);
  addAndMakeVisible(latency_);
  engine_.setFont(StemlaneLook::font(13.0F));
  engine_.setMinimumHorizontalScale(0.8F);
  addAndMakeVisible(engine_);

  setSize(kWidth, kHeight);
  processor_.setMeters(true);
  refresh();
  startTimerHz(kFramesPerSecond);
}

StemlaneEditor::~StemlaneEditor() {
  stopTimer();
  processor_.setMeters(false);
  setLookAndFeel(nullptr);
}

void StemlaneEditor::listModels() {
  model_.clear(juce::dontSendNotification);
  modelNames_.clear();
  for (const ModelDescriptor& model : installedModels()) {
    modelNames_.push_back(model.name);
    model_.addItem(model.title, static_cast<int>(modelNames_.size()));
  }
}

void StemlaneEditor::refresh() {
  for (int stem = 0; stem < kNumStems; ++stem) {
    StemStrip& strip = *strips_[static_cast<std::size_t>(stem)];
    strip.setPresent(processor_.hasStem(stem));
    strip.showPeak(processor_.takeStemPeak(stem));
  }
  output_.showPeak(processor_.takeOutputPeak());
  showModel();
  showEngine();
}

void StemlaneEditor::showModel() {
  const std::string name = processor_.modelName();
  if (name != shownModel_) {
    shownModel_ = name;
    const auto found = std::find(modelNames_.begin(), modelNames_.end(), name);
    if (found != modelNames_.end())
      model_.setSelectedItemIndex(static_cast<int>(found - modelNames_.begin()), juce::dontSendNotification);
    else
      model_.setText(juce::String(name) + " (not installed)", juce::dontSendNotification);
  }
  const int samples = processor_.getLatencySamples();
  const double sampleRate = processor_.getSampleRate();
  juce::String text;
  if (samples > 0 && sampleRate > 0.0)
    text << "Latency  " << samples << " samples  =  " << juce::String(1000.0 * samples / sampleRate, 1)
         << " ms";
  latency_.setText(text, juce::dontSendNotification);
}

void StemlaneEditor::showEngine() {
  const StreamStatus status = processor_.status();
  engine_.setText(juce::String(stateTitle(status.state)) + ": " + juce::String::fromUTF8(status.text.c_str()),
                  juce::dontSendNotification);
  engine_.setTooltip(juce::String::fromUTF8(status.text.c_str()));
  const juce::Colour lamp = lampColour(status.state);
  if (lamp == lamp_) return;
  lamp_ = lamp;
  repaint(getLocalBounds().removeFromBottom(kFooterHeight + kMargin));
}

void StemlaneEditor::paint(juce::Graphics& g) {
  g.fillAll(colours::background);
  auto header = getLocalBounds().removeFromTop(kHeaderHeight).reduced(kMargin + 4, 0);
  paintLogo(g, header.removeFromLeft(30).toFloat().withSizeKeepingCentre(30.0F, 26.0F));
  header.removeFromLeft(10);
  g.setColour(colours::text);
  g.setFont(StemlaneLook::font(21.0F, true));
  g.drawText("Stemlane", header, juce::Justification::centredLeft, false);

  const auto footer = getLocalBounds().removeFromBottom(kFooterHeight + 4).reduced(kMargin + 4, 0);
  const auto lamp =
      juce::Rectangle<float>(10.0F, 10.0F)
          .withCentre({static_cast<float>(footer.getX()) + 6.0F, static_cast<float>(footer.getCentreY())});
  g.setColour(lamp_.withAlpha(0.25F));
  g.fillEllipse(lamp.expanded(3.0F));
  g.setColour(lamp_);
  g.fillEllipse(lamp);
}

void StemlaneEditor::resized() {
  auto area = getLocalBounds();
  auto header = area.removeFromTop(kHeaderHeight).reduced(kMargin + 4, 14);
  model_.setBounds(header.removeFromRight(210));
  header.removeFromRight(16);
  latency_.setBounds(header.removeFromRight(280));

  const auto footer = area.removeFromBottom(kFooterHeight + 4).reduced(kMargin + 4, 9);
  engine_.setBounds(footer.withTrimmedLeft(18));

  area.reduce(kMargin, 0);
  const int width = (area.getWidth() - kNumStems * kGap) / (kNumStems + 1);
  for (auto& strip : strips_) {
    strip->setBounds(area.removeFromLeft(width));
    area.removeFromLeft(kGap);
  }
  output_.setBounds(area);
  bypass_.setBounds(output_.buttonArea() + output_.getPosition());
}

}  // namespace stemlane
