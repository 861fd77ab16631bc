// SPDX-License-Identifier: GPL-3.0-or-later
// See PluginEditor.h.
#include "editor/PluginEditor.h"

#include <algorithm>

#include "editor/FilesPage.h"
#include "editor/ModelsPage.h"
#include "editor/pages.h"
#include "processor/Presets.h"
#include "processor/RememberedLoads.h"

namespace stemlane {
namespace {

constexpr int kMargin = 14;
constexpr int kGap = 8;
constexpr int kTopHeight = 52;
constexpr int kQuickHeight = 28;
constexpr int kWidestStrip = 280;

// Of other projects' models, as `stemlane models add` knows them by their names.
bool isWeights(const juce::File& file) {
  return file.hasFileExtension("onnx;th;safetensors;ckpt;gz;tgz");
}

Heard heardOf(const FaderPositions::Strip& strip, const StemGains& gains, std::size_t stem, bool passedBy) {
  if (passedBy) return Heard::passedBy;
  if (strip.mute) return Heard::muted;
  if (!strip.solo && gains[stem] == 0.0F && faderGain(strip.gainDb) != 0.0F) return Heard::notSoloed;
  return faderGain(strip.gainDb) == 0.0F ? Heard::silent : Heard::yes;
}

}  // namespace

StemlaneEditor::StemlaneEditor(StemlaneProcessor& owner)
    : AudioProcessorEditor(owner),
      processor_(owner),
      top_(owner),
      quick_(owner, gang_),
      output_("Output", colours::text,
              {*owner.parameters().outputGain, nullptr, nullptr, owner.parameters().bypass, nullptr}, gang_),
      status_(owner) {
  setLookAndFeel(&look_);
  setTitle("Stemlane");
  setWantsKeyboardFocus(true);
  setFocusContainerType(FocusContainerType::keyboardFocusContainer);
  addAndMakeVisible(top_);
  addAndMakeVisible(quick_);
  addAndMakeVisible(picture_);
  for (int stem = 0; stem < kNumStems; ++stem) {
    const auto& parameters = owner.parameters().strips[static_cast<std::size_t>(stem)];
    auto& strip = strips_[static_cast<std::size_t>(stem)];
    gang_.add(*parameters.gain);
    strip = std::make_unique<StemStrip>(
        stemTitle(stem), colours::stem(stem),
        StripParameters{*parameters.gain, parameters.mute, parameters.solo, nullptr, parameters.focus},
        gang_);
    addChildComponent(*strip);
  }
  addAndMakeVisible(output_);
  addAndMakeVisible(status_);
  status_.onChange = [this] { resized(); };
  quick_.capture().onResult = [this] { showFiles(); };
  top_.onSavePreset = [this] { askForPresetName(); };
  top_.onModels = [this] { showModels(); };
  top_.onFiles = [this] { showFiles(); };
  top_.onSettings = [this] { showSettings(); };
  top_.onAbout = [this] { showAbout(); };

  sendLookAndFeelChange();  // the parts were made before they had it

  setResizable(true, true);
  setResizeLimits(kSmallestEditor.width, kSmallestEditor.height, kLargestEditor.width, kLargestEditor.height);
  const EditorSize size = processor_.editorSize().value_or(kUsualSize);
  setSize(size.width, size.height);
  isOpen_ = true;
  processor_.setMeters(true);
  refresh();
  startTimerHz(kFramesPerSecond);
}

StemlaneEditor::~StemlaneEditor() {
  stopTimer();
  processor_.setMeters(false);
  rememberLoadOf(processor_);
  setLookAndFeel(nullptr);
}

void StemlaneEditor::refresh() {
  if (page_ != nullptr && !page_->isVisible()) page_.reset();
  top_.refresh();
  quick_.refresh();
  refreshStrips();
  status_.refresh();
  const bool separated = processor_.status().state == EngineState::ready;
  picture_.show(processor_.tap(), processor_.getSampleRate(), separated);
}

void StemlaneEditor::refreshStrips() {
  constexpr float kSeconds = 1.0F / kFramesPerSecond;
  const StemSet present = processor_.presentStems();
  const FaderPositions positions = processor_.parameters().positions();
  const StemGains gains = processor_.parameters().gains(present);
  const EngineState state = processor_.status().state;
  const bool passedBy = positions.bypass || state == EngineState::failed;
  const int numChannels = std::max(1, processor_.numChannels());
  for (int stem = 0; stem < kNumStems; ++stem) {
    const auto s = static_cast<std::size_t>(stem);
    StemStrip& strip = *strips_[s];
    strip.meter().show({processor_.takeStemPeak(stem, 0), processor_.takeStemPeak(stem, 1)}, numChannels,
                       kSeconds);
    strip.setHeard(heardOf(positions.strips[s], gains, s, passedBy));
    gang_.setPresent(*processor_.parameters().strips[s].gain, present[s]);
    strip.setVisible(present[s]);
    strip.setTakesFocus(processor_.takesFocus());
  }
  output_.meter().show({processor_.takeOutputPeak(0), processor_.takeOutputPeak(1)}, numChannels, kSeconds);
  output_.setHeard(positions.bypass                        ? Heard::yes
                   : faderGain(positions.outputDb) == 0.0F ? Heard::silent
                                                           : Heard::yes);
  if (present == shownStems_) return;
  shownStems_ = present;
  resized();
}

void StemlaneEditor::paint(juce::Graphics& g) {
  g.fillAll(colours::background);
}

void StemlaneEditor::resized() {
  if (page_ != nullptr) page_->setBounds(getLocalBounds());
  auto area = getLocalBounds().reduced(kMargin, 0);
  top_.setBounds(area.removeFromTop(kTopHeight));
  quick_.setBounds(area.removeFromTop(kQuickHeight));
  area.removeFromTop(kGap);
  area.removeFromBottom(kGap);
  status_.setBounds(area.removeFromBottom(status_.heightFor(area.getWidth())));
  area.removeFromBottom(kGap);
  picture_.setBounds(area.removeFromTop(area.getHeight() / 4));
  area.removeFromTop(kGap);
  layOutStrips(area);
  if (isOpen_ &&
      (getWidth() != kUsualSize.width || getHeight() != kUsualSize.height || processor_.editorSize()))
    processor_.setEditorSize({getWidth(), getHeight()});
}

// The model's stems share the width; the others are folded away.
void StemlaneEditor::layOutStrips(juce::Rectangle<int> area) {
  const auto count = static_cast<int>(std::count(shownStems_.begin(), shownStems_.end(), true)) + 1;
  const int width = std::min(kWidestStrip, (area.getWidth() - (count - 1) * kGap) / count);
  output_.setBounds(area.removeFromRight(width));
  for (std::size_t stem = 0; stem < kNumStems; ++stem) {
    if (!shownStems_[stem]) continue;
    strips_[stem]->setBounds(area.removeFromLeft(width));
    area.removeFromLeft(kGap);
  }
}

bool StemlaneEditor::keyPressed(const juce::KeyPress& key) {
  const juce::ModifierKeys mods = key.getModifiers();
  const int code = key.getKeyCode();
  if (!mods.isCommandDown() || (code != 'Z' && code != 'Y')) return false;
  if (code == 'Y' || mods.isShiftDown())
    processor_.edits().redo();
  else
    processor_.edits().undo();
  return true;
}

void StemlaneEditor::showPage(std::unique_ptr<juce::Component> page) {
  page_ = std::move(page);
  addAndMakeVisible(*page_);
  page_->setBounds(getLocalBounds());
  if (isShowing()) page_->grabKeyboardFocus();
}

void StemlaneEditor::closePage() {
  if (page_ != nullptr) page_->setVisible(false);
}

// A stem of the list comes from the list: dragged by accident with a click that should mute it, or thought
// better of.
bool StemlaneEditor::isInterestedInFileDrag(const juce::StringArray& files) {
  return !std::all_of(files.begin(), files.end(),
                      [this](const juce::String& path) { return processor_.files().hasStem(path); });
}

void StemlaneEditor::showDrop(bool on) {
  dropping_ = on;
  repaint();
}

void StemlaneEditor::filesDropped(const juce::StringArray& files, int, int) {
  showDrop(false);
  juce::StringArray songs;
  ShopEntry weights;
  for (const juce::String& path : files) {
    const juce::File file(path);
    if (isWeights(file)) {
      weights.title = file.getFileName();
      weights.source = path;
    } else {
      songs.add(path);
    }
  }
  if (!songs.isEmpty()) {
    showFiles();
    dynamic_cast<FilesPage&>(*page_).drop(songs);
  } else if (!weights.isInstalled()) {
    showModels();
    dynamic_cast<ModelsPage&>(*page_).ask(weights);
  }
}

void StemlaneEditor::paintOverChildren(juce::Graphics& g) {
  if (!dropping_) return;
  g.fillAll(colours::background.withAlpha(0.85F));
  g.setColour(colours::focus);
  g.drawRoundedRectangle(getLocalBounds().reduced(12).toFloat(), 10.0F, 2.0F);
  g.setColour(colours::text);
  g.setFont(StemlaneLook::font(20.0F, true));
  g.drawFittedText("Drop songs to separate them,\nweights to add a model", getLocalBounds(),
                   juce::Justification::centred, 2);
}

void StemlaneEditor::showModels() {
  auto page = std::make_unique<ModelsPage>(processor_);
  page->onClose = [this] { closePage(); };
  showPage(std::move(page));
}

void StemlaneEditor::showFiles() {
  auto page = std::make_unique<FilesPage>(processor_);
  page->onClose = [this] { closePage(); };
  showPage(std::move(page));
}

void StemlaneEditor::showSettings(const juce::String& problem) {
  // A change is made by a button of the page that shows it.
  auto shown = [editor = juce::Component::SafePointer(this)](const juce::String& found) {
    if (editor != nullptr) editor->showSettings(found);
  };
  auto page = std::make_unique<InfoPanel>("Settings", settingsRows(processor_, *this, problem, shown));
  page->onClose = [this] { closePage(); };
  showPage(std::move(page));
}

void StemlaneEditor::showAbout() {
  auto page = std::make_unique<InfoPanel>("About", aboutRows());
  page->onClose = [this] { closePage(); };
  showPage(std::move(page));
}

void StemlaneEditor::askForPresetName() {
  auto prompt = std::make_unique<NamePrompt>("Save as a preset of your own");
  prompt->onName = [this](const juce::String& name) {
    return savePreset(name, processor_.parameters().settings());
  };
  prompt->onClose = [this] { closePage(); };
  showPage(std::move(prompt));
}

}  // namespace stemlane
