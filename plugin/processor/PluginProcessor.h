// SPDX-License-Identifier: GPL-3.0-or-later
// The host's callbacks, mapped one to one onto StemStream: buses, parameters, state and
// the choice of the model. Sound is made in the core, pictures in the editor.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "processor/ModelChoice.h"
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
  /// Any thread but the audio thread; never waits for a model that is being changed.
  StreamStatus status() const;
  void setMeters(bool on) noexcept;
  /// Peak since the last call, linear: of a stem after its fader, of the output.
  float takeStemPeak(int stem) noexcept { return stream_.take_peak(stem); }
  float takeOutputPeak() noexcept { return outputPeak_.exchange(0.0F, std::memory_order_relaxed); }

 private:
  friend struct ProcessorTest;  // holds the mutex, to show who waits for it
  static BusesProperties buses();
  void process(juce::AudioBuffer<float>& buffer, const StemGains& gains) noexcept;
  void applyModel();
  void prepareStream();
  void announceLatency();
  int streamLatency() const;
  StemSet presentStems() const noexcept;

  StemParameters parameters_;
  const std::shared_ptr<const StemOrigin> engine_;
  StemStream stream_;

  // Control threads of the host may differ, and some call the state from yet another one. Held
  // while engines start and end: never by the audio thread or the editor's frames.
  mutable std::mutex mutex_;                        // guards the five below and stream_'s prepare
  std::string modelName_;                           ///< as asked for, installed or not
  std::unique_ptr<juce::XmlElement> unknownState_;  ///< see SavedState
  ModelChoice choice_;
  double sampleRate_ = 0.0;
  int maxBlockSamples_ = 0;

  /// What the editor and scripts may know at any time.
  struct Facts {
    std::string model;
    std::string problem;
    bool prepared = false;
  };
  Published<Facts> facts_;

  std::atomic<int> numChannels_{0};        // writer: control; reader: audio; 0: not prepared
  std::atomic<unsigned> presentStems_{0};  // writer: control; readers: all; one bit per stem
  std::atomic<bool> beginsAnew_{false};    // writer: control; reader: audio (swap to false)
  std::atomic<bool> meters_{false};        // writer: message; reader: audio
  std::atomic<float> outputPeak_{0.0F};    // writers: audio, message (swap to 0)

  JUCE_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(StemlaneProcessor)
};

}  // namespace stemlane
