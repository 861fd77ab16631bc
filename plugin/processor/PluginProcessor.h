// SPDX-License-Identifier: GPL-3.0-or-later
// The host's callbacks, mapped one to one onto StemStream: buses, parameters, state and
// the choice of the model. Sound is made in the core, pictures in the editor.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "capture/Capture.h"
#include "preview/Preview.h"
#include "processor/Edits.h"
#include "processor/EngineFigures.h"
#include "processor/FileQueue.h"
#include "processor/ModelChoice.h"
#include "processor/ModelShop.h"
#include "processor/PluginState.h"
#include "processor/Published.h"
#include "processor/StemParameters.h"
#include "stream/stem_stream.h"

namespace stemlane {

class StemlaneProcessor final : public juce::AudioProcessor {
 public:
  StemlaneProcessor();

  // Host: audio set-up.
  bool isBusesLayoutSupported(const BusesLayout& layouts) const override;
  void prepareToPlay(double sampleRate, int maxBlockSamples) override;
  void releaseResources() override {}
  void reset() override;
  void setNonRealtime(bool isNonRealtime) noexcept override;

  // Host: audio thread.
  void processBlock(juce::AudioBuffer<float>& buffer, juce::MidiBuffer&) override;
  void processBlockBypassed(juce::AudioBuffer<float>& buffer, juce::MidiBuffer&) override;
  juce::AudioProcessorParameter* getBypassParameter() const override { return parameters_.bypass; }

  // Host: state and facts.
  void getStateInformation(juce::MemoryBlock& target) override;
  void setStateInformation(const void* data, int size) override;
  const juce::String getName() const override { return JucePlugin_Name; }
  bool acceptsMidi() const override { return false; }
  bool producesMidi() const override { return false; }
  /// Sound that is still inside when the input falls silent.
  double getTailLengthSeconds() const override;
  void updateTrackProperties(const TrackProperties& properties) override;
  int getNumPrograms() override { return 1; }
  int getCurrentProgram() override { return 0; }
  void setCurrentProgram(int) override {}
  const juce::String getProgramName(int) override { return "Default"; }
  void changeProgramName(int, const juce::String&) override {}
  bool hasEditor() const override { return true; }
  juce::AudioProcessorEditor* createEditor() override;

  // Editor: message thread.
  StemParameters& parameters() noexcept { return parameters_; }
  /// Name of the model as asked for, installed or not. Any thread but the audio thread.
  std::string modelName() const { return facts_.read()->model; }
  /// Changes the model, and with it the latency; the engine starts in the background.
  void setModel(const std::string& name);
  bool hasStem(int stem) const noexcept;
  StemSet presentStems() const noexcept;
  /// The stem that takes what the others leave, by number.
  int residualStem() const noexcept { return residual_.load(std::memory_order_relaxed); }
  /// Whether the model's stems can be told apart more or less sharply.
  bool takesFocus() const noexcept { return takesFocus_.load(std::memory_order_relaxed); }
  /// Any thread but the audio thread; never waits for a model that is being changed.
  StreamStatus status() const;
  /// As they were before a change of the model, while one takes place.
  EngineFigures figures();
  /// What the program can do itself about what the status says.
  enum class Remedy { none, otherModel, python, restart };
  Remedy remedy() const;
  void remedyNow();
  /// Lets the engine run another Python. Empty, or why that could not be written down.
  juce::String usePython(const juce::File& python);
  /// Ends the engine and starts another one.
  void restartEngine();
  /// The application's sound card: what it is, and a dialog to choose another. None in a host.
  struct AudioDeviceControl {
    std::function<juce::String()> said;
    std::function<void()> choose;
  };
  void setAudioDevice(AudioDeviceControl control) { audioDevice_ = std::move(control); }
  const AudioDeviceControl& audioDevice() const { return audioDevice_; }
  /// Models that are here and that can be added; made with the first call.
  ModelShop& shop();
  /// Files that are separated in the background; made with the first call.
  FileQueue& files();
  /// Records what passes: `numBars` from the host's next bar line on, or 0, until it is stopped. Its stems
  /// are made as those of a file.
  void startCapture(int numBars);
  Capture& capture() noexcept { return capture_; }
  /// Stems that are played before they are dragged out.
  Preview& preview() noexcept { return preview_; }
  /// A model that was asked for may be here now.
  void modelsHaveChanged();
  void setMeters(bool on);
  /// Channels of the main bus; 0 before the host has prepared it.
  int numChannels() const noexcept { return numChannels_.load(std::memory_order_acquire); }
  /// Peak since the last call, linear: of one channel of a stem after its fader, of the output.
  float takeStemPeak(int stem, int channel) noexcept { return stream_.take_peak(stem, channel); }
  float takeOutputPeak(int channel) noexcept {
    return outputPeaks_[static_cast<std::size_t>(channel)].exchange(0.0F, std::memory_order_relaxed);
  }
  StemTap& tap() noexcept { return stream_.tap(); }
  Edits& edits() noexcept { return edits_; }
  /// The editor's size as the user has left it. Any thread but the audio thread.
  std::optional<EditorSize> editorSize() const { return *editorSize_.read(); }
  void setEditorSize(EditorSize size) { editorSize_.publish(size); }

 private:
  friend struct ProcessorTest;  // holds the mutex, to show who waits for it
  static BusesProperties buses();
  void process(juce::AudioBuffer<float>& buffer, const StemGains& gains, const StemFocus& focus) noexcept;
  void applyModel(const std::vector<ModelDescriptor>& models);
  void prepareStream();
  void announceLatency();
  int streamLatency() const;
  void changeModel(const std::function<void()>& change);

  StemParameters parameters_;
  Edits edits_;
  std::shared_ptr<const StemOrigin> engine_;
  StemStream stream_;

  // Control threads of the host may differ, and some call the state from yet another one. Held
  // while engines start and end: never by the audio thread or the editor's frames.
  mutable std::mutex mutex_;                        // guards engine_, the five below and stream_'s prepare
  std::string modelName_;                           ///< as asked for, installed or not
  std::unique_ptr<juce::XmlElement> unknownState_;  ///< see SavedState
  ModelChoice choice_;
  double sampleRate_ = 0.0;
  int announcedBlockSamples_ = 0;

  /// What the editor and scripts may know at any time.
  struct Facts {
    std::string model;
    std::string problem;
    bool prepared = false;
    std::string otherModel;  ///< what can take its place, if it is not installed
  };
  Published<Facts> facts_;
  Published<std::optional<EditorSize>> editorSize_;
  Published<juce::String> trackName_;
  Capture capture_;
  Preview preview_;
  AudioDeviceControl audioDevice_;    // message thread
  EngineFigures figures_;             // message thread
  std::unique_ptr<ModelShop> shop_;   // message thread
  std::unique_ptr<FileQueue> files_;  // message thread

  std::atomic<int> numChannels_{0};        // writer: control; reader: audio; 0: not prepared
  std::atomic<unsigned> presentStems_{0};  // writer: control; readers: all; one bit per stem
  std::atomic<bool> beginsAnew_{false};    // writer: control; reader: audio (swap to false)
  std::atomic<bool> meters_{false};        // writer: message; reader: audio
  std::atomic<int> residual_{kOtherStem};  // writer: control; readers: all
  std::atomic<bool> takesFocus_{false};    // writer: control; reader: message
  std::array<std::atomic<float>, kMaxChannels> outputPeaks_{};  // writers: audio, message (swap to 0)

  JUCE_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(StemlaneProcessor)
};

}  // namespace stemlane
