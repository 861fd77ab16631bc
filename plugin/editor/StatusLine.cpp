// SPDX-License-Identifier: GPL-3.0-or-later
// See StatusLine.h.
#include "editor/StatusLine.h"

#include <algorithm>
#include <cmath>

#include "editor/StemlaneLook.h"
#include "processor/EngineLink.h"

namespace stemlane {
namespace {

constexpr int kLampWidth = 20;
constexpr int kButtonWidth = 92;
constexpr int kFixWidth = 96;
constexpr int kButtonHeight = 24;
constexpr int kGap = 6;
constexpr float kFontHeight = 13.0F;

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
      return "Starting";
    case EngineState::ready:
      return "Ready";
    case EngineState::late:
      return "Late";
    case EngineState::failed:
      return "Failed";
  }
  return "Failed";
}

juce::String percent(double share) {
  return juce::String(juce::roundToInt(100.0 * std::min(share, 99.99))) + " %";
}

// Where engines of this host write to; none if nobody has asked for it.
juce::File engineLog() {
  const juce::String path = juce::SystemStats::getEnvironmentVariable("STEMLANE_ENGINE_LOG", {});
  return juce::File::isAbsolutePath(path) ? juce::File(path) : juce::File();
}

// What the ear gets while stems are missing; nothing while they are there.
const char* heardInstead(EngineState state) {
  return state == EngineState::ready ? "" : ". You hear the mixture, unseparated, in time";
}

// Of those that come with the plugin it takes least of the processor, three strides at a time, and allows the
// longest buffers.
constexpr const char* kLightestModel = "mix";

bool hasLighterModel(StemlaneProcessor& processor) {
  if (processor.status().state != EngineState::late || processor.modelName() == kLightestModel) return false;
  static const std::vector<ModelDescriptor> models = installedModels();
  return std::any_of(models.begin(), models.end(),
                     [](const auto& model) { return model.name == kLightestModel; });
}

juce::String figuresText(StemlaneProcessor& processor, std::int64_t numLate) {
  const double sampleRate = processor.getSampleRate();
  const int latency = processor.getLatencySamples();
  juce::StringArray parts;
  if (sampleRate > 0.0 && latency > 0)
    parts.add("latency " + juce::String(1000.0 * latency / sampleRate, 1) + " ms, " + juce::String(latency) +
              " samples at " + juce::String(sampleRate / 1000.0) + " kHz");
  const EngineFigures figures = processor.figures();
  if (figures.numSteps > 0) {
    parts.add("load " + percent(figures.load) + " of a core");
    // A render waits: its steps have all the time they take.
    if (!processor.isNonRealtime()) parts.add(percent(figures.p99) + " of the deadline used (p99)");
  }
  if (sampleRate > 0.0)
    parts.add(numLate == 0   ? juce::String("never late")
              : numLate == 1 ? juce::String("late once")
                             : "late " + juce::String(numLate) + " times");
  return parts.joinIntoString(juce::String::fromUTF8(" \u00b7 "));
}

}  // namespace

StatusTexts statusTexts(StemlaneProcessor& processor) {
  const StreamStatus status = processor.status();
  StatusTexts texts;
  texts.state = stateTitle(status.state);
  texts.says = juce::String::fromUTF8(status.text.c_str());
  if (processor.parameters().bypass->get())
    texts.says = "Bypassed: you hear the mixture as it came in. Engine: " + texts.says;
  else if (processor.numChannels() > 0 || status.state == EngineState::failed)
    texts.says += heardInstead(status.state);
  texts.figures = figuresText(processor, status.num_late);
  return texts;
}

StatusLine::StatusLine(StemlaneProcessor& processor) : processor_(processor) {
  setTitle("Status");
  copy_.setTitle(copy_.getButtonText());
  copy_.setTooltip("Copies these lines to the clipboard, for a report");
  copy_.onClick = [this] {
    juce::SystemClipboard::copyTextToClipboard("Stemlane " JucePlugin_VersionString ", model " +
                                               juce::String(processor_.modelName()) + "\n" + texts_.state +
                                               ": " + texts_.says + "\n" + texts_.figures);
  };
  addAndMakeVisible(copy_);
  fix_.setTitle("Fix");
  fix_.onClick = [this] { fix(); };
  addChildComponent(fix_);
  log_.setTitle(log_.getButtonText());
  log_.setTooltip("Shows the engine's log file in the file manager");
  log_.onClick = [] { engineLog().revealToUser(); };
  addChildComponent(log_);
}

void StatusLine::showRemedy(StemlaneProcessor::Remedy remedy) {
  const auto say = [this](const juce::String& text, const juce::String& tip) {
    fix_.setButtonText(text);
    fix_.setTooltip(tip);
  };
  if (remedy == StemlaneProcessor::Remedy::otherModel) {
    say("Use another", "Takes the default model instead");
  } else if (remedy == StemlaneProcessor::Remedy::python) {
    python_ = installedPython();
    if (python_ != juce::File())
      say("Link again",
          "Lets the engine run " + python_.getFullPathName() + ", which has Stemlane installed");
    else
      say(juce::String::fromUTF8("Python\u2026"), "Choose the Python that Stemlane is installed in");
  } else if (hasLighterModel(processor_)) {
    say("Use " + juce::String(kLightestModel),
        "Takes the model that needs least of the processor, with a latency of 0.23 s");
  } else {
    say("Try again", "Ends the engine and starts another one");
  }
}

void StatusLine::fix() {
  if (processor_.remedy() == StemlaneProcessor::Remedy::none && hasLighterModel(processor_))
    return processor_.setModel(kLightestModel);
  if (processor_.remedy() != StemlaneProcessor::Remedy::python) return processor_.remedyNow();
  if (python_ == juce::File()) return choosePython();
  problem_ = processor_.usePython(python_);
}

void StatusLine::choosePython() {
  chooser_ =
      std::make_unique<juce::FileChooser>("Python that Stemlane is installed in", juce::File("/usr/bin"));
  chooser_->launchAsync(juce::FileBrowserComponent::openMode | juce::FileBrowserComponent::canSelectFiles,
                        [this](const juce::FileChooser& chosen) {
                          if (chosen.getResult() != juce::File())
                            problem_ = processor_.usePython(chosen.getResult());
                        });
}

void StatusLine::refresh() {
  const EngineState state = processor_.status().state;
  const auto remedy = processor_.remedy();
  StatusTexts texts = statusTexts(processor_);
  if (problem_.isNotEmpty()) texts.says << ". " << problem_;
  const juce::Colour lamp = lampColour(state);
  const bool fixes = remedy != StemlaneProcessor::Remedy::none || hasLighterModel(processor_);
  if (texts == texts_ && lamp == lamp_ && fixes == fix_.isVisible()) return;
  texts_ = std::move(texts);
  lamp_ = lamp;
  setDescription(texts_.state + ": " + texts_.says);
  showRemedy(remedy);
  fix_.setVisible(fixes);
  log_.setVisible(state == EngineState::failed && engineLog().existsAsFile());
  resized();
  repaint();
  if (onChange) onChange();
}

juce::TextLayout StatusLine::layoutFor(int width) const {
  juce::AttributedString text;
  text.setLineSpacing(2.0F);
  text.append(texts_.state + "  ", StemlaneLook::font(kFontHeight, true), colours::text);
  text.append(texts_.says + "\n", StemlaneLook::font(kFontHeight), colours::text);
  text.append(texts_.figures, StemlaneLook::font(kFontHeight), colours::faint);
  const int buttons = kButtonWidth + kGap + (fix_.isVisible() ? kFixWidth + kGap : 0) +
                      (log_.isVisible() ? kButtonWidth + kGap : 0);
  juce::TextLayout layout;
  layout.createLayout(text, static_cast<float>(std::max(100, width - kLampWidth - buttons)));
  return layout;
}

int StatusLine::heightFor(int width) const {
  return std::max(38, static_cast<int>(std::ceil(layoutFor(width).getHeight())) + 4);
}

void StatusLine::paint(juce::Graphics& g) {
  const auto lamp = juce::Rectangle<float>(10.0F, 10.0F).withCentre({6.0F, 10.0F});
  g.setColour(lamp_.withAlpha(0.25F));
  g.fillEllipse(lamp.expanded(3.0F));
  g.setColour(lamp_);
  g.fillEllipse(lamp);
  layoutFor(getWidth()).draw(g, getLocalBounds().withTrimmedLeft(kLampWidth).toFloat());
}

void StatusLine::resized() {
  auto area = getLocalBounds().removeFromTop(kButtonHeight);
  copy_.setBounds(area.removeFromRight(kButtonWidth));
  area.removeFromRight(kGap);
  if (fix_.isVisible()) {
    fix_.setBounds(area.removeFromRight(kFixWidth));
    area.removeFromRight(kGap);
  }
  log_.setBounds(area.removeFromRight(kButtonWidth));
}

}  // namespace stemlane
