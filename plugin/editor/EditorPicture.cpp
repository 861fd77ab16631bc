// SPDX-License-Identifier: GPL-3.0-or-later
// Draws the editor into PNGs, for the documents and to be looked at:
//
//     stemlane-editor-picture FOLDER MODEL SONG < stereo-44100-float32-interleaved.raw
//
// plays standard input through the processor and draws it playing, muted, bypassed, failed, narrow, and with
// its pages open; SONG is separated on the page of files. Needs neither a host nor a window on a screen.
#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <vector>

#include "editor/ModelsPage.h"
#include "editor/PluginEditor.h"
#include "processor/PluginProcessor.h"

namespace juce {
#if JUCE_MAJOR_VERSION >= 8
namespace detail {
bool dispatchNextMessageOnSystemQueue(bool returnIfNoPendingMessages);
}
using detail::dispatchNextMessageOnSystemQueue;
#else
bool dispatchNextMessageOnSystemQueue(bool returnIfNoPendingMessages);
#endif
}  // namespace juce

namespace {

constexpr double kSampleRate = 44100.0;
constexpr int kBlockSamples = 1470;

void setFader(juce::AudioParameterFloat& fader, float gainDb) {
  fader.setValueNotifyingHost(fader.convertTo0to1(gainDb));
}

void set(juce::AudioParameterBool& parameter, bool on) {
  parameter.setValueNotifyingHost(on ? 1.0F : 0.0F);
}

// Plays `numBlocks` of standard input through the processor; the editor follows at 30 frames a second.
void play(stemlane::StemlaneProcessor& processor, stemlane::StemlaneEditor& editor, int numBlocks) {
  juce::AudioBuffer<float> buffer(2, kBlockSamples);
  juce::MidiBuffer midi;
  std::vector<float> frames(2 * kBlockSamples);
  while (numBlocks-- > 0 &&
         std::fread(frames.data(), sizeof(float) * 2, kBlockSamples, stdin) == kBlockSamples) {
    for (int n = 0; n < kBlockSamples; ++n)
      for (int channel = 0; channel < 2; ++channel)
        buffer.setSample(channel, n, frames[static_cast<std::size_t>(2 * n + channel)]);
    processor.processBlock(buffer, midi);
    editor.refresh();
  }
}

/// Writes pictures of one editor.
struct Camera {
  stemlane::StemlaneEditor& editor;
  juce::File folder;
  bool failed = false;

  void take(const char* name, float scale = 1.0F) {
    editor.refresh();
    const juce::Image image = editor.createComponentSnapshot(editor.getLocalBounds(), true, scale);
    const juce::File file = folder.getChildFile(juce::String(name) + ".png");
    file.deleteFile();
    juce::FileOutputStream stream(file);
    juce::PNGImageFormat png;
    if (stream.openedOk() && png.writeImageToStream(image, stream)) return;
    std::cerr << "stemlane-editor-picture: " << file.getFullPathName() << " cannot be written\n";
    failed = true;
  }
};

// Waits for the engine's command line, as long as it takes to say or do what it is asked for.
template <typename Condition>
void waitUntil(stemlane::StemlaneProcessor& processor, Condition condition) {
  for (int tenths = 0; tenths < 3000 && !condition(); ++tenths) {
    juce::Thread::sleep(100);
    processor.shop().poll();
    processor.files().poll();
  }
  while (juce::dispatchNextMessageOnSystemQueue(true)) {  // what has changed is told by messages
  }
}

void takePages(stemlane::StemlaneProcessor& processor, Camera& camera, const char* song) {
  camera.editor.showSettings();
  camera.take("settings");
  camera.editor.showAbout();
  camera.take("about");
  camera.editor.askForPresetName();
  camera.take("save-preset");
  camera.editor.showModels();
  waitUntil(processor, [&] { return !processor.shop().isListing(); });
  camera.take("models", 1.5F);
  for (const auto& entry : processor.shop().entries()) {
    if (entry.source != "htdemucs") continue;
    auto page = std::make_unique<stemlane::ModelsPage>(processor);
    page->ask(entry);
    camera.editor.addAndMakeVisible(*page);
    page->setBounds(camera.editor.getLocalBounds());
    camera.take("models-accept");
  }
  processor.files().settings().folder = camera.folder.getChildFile("stems");
  camera.editor.filesDropped({song, "/nowhere/absent.mp3"}, 0, 0);
  waitUntil(processor, [&] { return processor.files().items().front().share > 0.2; });
  camera.take("files-running");
  waitUntil(processor, [&] { return !processor.files().isRunning(); });
  camera.take("files", 1.5F);
  camera.editor.closePage();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: stemlane-editor-picture FOLDER MODEL SONG < AUDIO\n";
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
  setFader(*parameters.strips[0].focus, 65.0F);
  setFader(*parameters.strips[2].focus, 35.0F);
  setFader(*parameters.outputGain, -1.0F);

  stemlane::StemlaneEditor editor(processor);
  Camera camera{editor,
                juce::File::getCurrentWorkingDirectory().getChildFile(juce::String::fromUTF8(argv[1]))};
  camera.folder.createDirectory();
  play(processor, editor, 330);
  camera.take("editor", 1.5F);
  set(*parameters.strips[0].mute, true);
  set(*parameters.strips[2].solo, true);
  play(processor, editor, 90);
  camera.take("muted");
  camera.take("muted-2x", 2.0F);
  set(*parameters.bypass, true);
  camera.take("bypassed");
  set(*parameters.bypass, false);
  editor.setSize(stemlane::kSmallestEditor.width, stemlane::kSmallestEditor.height);
  play(processor, editor, 30);
  camera.take("smallest");
  editor.setSize(1500, 900);
  play(processor, editor, 90);
  camera.take("large");
  editor.setSize(stemlane::StemlaneEditor::kUsualSize.width, stemlane::StemlaneEditor::kUsualSize.height);
  takePages(processor, camera, argv[3]);
  processor.setModel("nobody");
  play(processor, editor, 60);
  camera.take("not-installed");
  return camera.failed ? 1 : 0;
}
