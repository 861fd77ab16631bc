// SPDX-License-Identifier: GPL-3.0-or-later
// Draws the editor into a PNG while it plays a piece of music, for the README:
//
//     stemlane-editor-picture OUT.png MODEL < stereo-44100-float32-interleaved.raw
//
// Needs neither a host nor a window on a screen.
#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <cstdio>
#include <iostream>
#include <vector>

#include "editor/PluginEditor.h"
#include "processor/PluginProcessor.h"

namespace {

constexpr double kSampleRate = 44100.0;
constexpr int kBlockSamples = 1470;
constexpr float kScale = 1.5F;

void setFader(juce::AudioParameterFloat& fader, float gainDb) {
  fader.setValueNotifyingHost(fader.convertTo0to1(gainDb));
}

// Plays standard input through the processor; the meters follow at 30 frames a second.
void play(stemlane::StemlaneProcessor& processor, stemlane::StemlaneEditor& editor) {
  juce::AudioBuffer<float> buffer(2, kBlockSamples);
  juce::MidiBuffer midi;
  std::vector<float> frames(2 * kBlockSamples);
  while (std::fread(frames.data(), sizeof(float) * 2, kBlockSamples, stdin) == kBlockSamples) {
    for (int n = 0; n < kBlockSamples; ++n)
      for (int channel = 0; channel < 2; ++channel)
        buffer.setSample(channel, n, frames[static_cast<std::size_t>(2 * n + channel)]);
    processor.processBlock(buffer, midi);
    editor.refresh();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: stemlane-editor-picture OUT.png MODEL < AUDIO\n";
    return 2;
  }
  const juce::ScopedJuceInitialiser_GUI gui;
  stemlane::StemlaneProcessor processor;
  processor.setModel(argv[2]);
  processor.setNonRealtime(true);
  processor.setRateAndBufferSizeDetails(kSampleRate, kBlockSamples);
  processor.prepareToPlay(kSampleRate, kBlockSamples);
  auto& parameters = processor.parameters();
  setFader(*parameters.strips[0].gain, -4.5F);
  setFader(*parameters.strips[1].gain, 2.0F);
  setFader(*parameters.strips[5].gain, -3.0F);
  setFader(*parameters.outputGain, -1.0F);

  stemlane::StemlaneEditor editor(processor);
  play(processor, editor);
  const juce::Image image = editor.createComponentSnapshot(editor.getLocalBounds(), true, kScale);
  const juce::File file =
      juce::File::getCurrentWorkingDirectory().getChildFile(juce::String::fromUTF8(argv[1]));
  file.deleteFile();
  juce::FileOutputStream stream(file);
  juce::PNGImageFormat png;
  if (!stream.openedOk() || !png.writeImageToStream(image, stream)) {
    std::cerr << "stemlane-editor-picture: " << argv[1] << " cannot be written\n";
    return 1;
  }
  return 0;
}
