// SPDX-License-Identifier: GPL-3.0-or-later
// Draws the editor into PNGs, for the documents and to be looked at:
//
//     stemlane-editor-picture FOLDER MODEL SONG < stereo-44100-float32-interleaved.raw
//     stemlane-editor-picture FOLDER MODEL --failed NAME [SONG]
//     stemlane-editor-picture FOLDER MODEL --ready NAME
//
// plays standard input through the processor and draws it playing, muted, bypassed, late, failed, narrow, and
// with its menus and pages open; SONG is separated on the page of files. The second draws an engine that
// fails, as NAME: the environment says why, or somebody kills it. A SONG fails then, too, and is drawn as
// NAME-file. The third draws an engine that has something to say although it runs, and the page of settings.
// Needs neither a host nor a window on a screen.
#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "editor/FilesPage.h"
#include "editor/ModelBox.h"
#include "editor/ModelsPage.h"
#include "editor/PluginEditor.h"
#include "editor/message_queue.h"
#include "processor/PluginProcessor.h"

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
    stemlane::deliverMessages();
  }
  stemlane::deliverMessages();  // what has changed is told by messages
}

template <typename Widget>
Widget* find(juce::Component& parent, const juce::String& title) {
  for (auto* child : parent.getChildren()) {
    if (auto* widget = dynamic_cast<Widget*>(child); widget != nullptr && widget->getTitle() == title)
      return widget;
    if (auto* below = find<Widget>(*child, title)) return below;
  }
  return nullptr;
}

void takeModels(stemlane::StemlaneProcessor& processor, Camera& camera) {
  camera.editor.showModels();
  waitUntil(processor, [&] { return !processor.shop().isListing(); });
  camera.take("models", 1.5F);
  const std::vector<stemlane::ShopEntry> entries = processor.shop().entries();  // the page lists them anew
  for (const auto& entry : entries) {
    if (entry.source != "htdemucs") continue;
    camera.editor.showModels();
    waitUntil(processor, [&] { return !processor.shop().isListing(); });
    find<stemlane::ModelsPage>(camera.editor, "Models")->ask(entry);
    camera.take("models-accept");
  }
  processor.shop().add("/nowhere/weights.th", true);
  waitUntil(processor, [&] { return !processor.shop().isAdding(); });
  camera.editor.showModels();  // without the question
  waitUntil(processor, [&] { return !processor.shop().isListing(); });
  camera.take("models-failed");
  camera.editor.closePage();
  camera.editor.refresh();
  auto* box = find<stemlane::ModelBox>(camera.editor, "Model");
  box->showPopup();
  stemlane::deliverMessages();
  camera.take("model-menu", 1.5F);
  box->hidePopup();
}

// Where the folder of the captures should be, there is a file.
void takeFailedCapture(stemlane::StemlaneProcessor& processor, Camera& camera) {
  const juce::File folder = stemlane::Capture::folder();
  const juce::File aside = folder.getNonexistentSibling();  // the user's captures are not the picture's
  folder.moveFileTo(aside);
  folder.getParentDirectory().createDirectory();
  folder.replaceWithText("in the way");
  processor.startCapture(0);
  camera.editor.showFiles();
  waitUntil(processor, [] { return true; });
  camera.take("capture-failed");
  folder.deleteFile();
  aside.moveFileTo(folder);
}

void takeFiles(stemlane::StemlaneProcessor& processor, Camera& camera, const char* song) {
  processor.files().settings().folder =
      juce::File::getSpecialLocation(juce::File::tempDirectory).getChildFile("Music/Stemlane");
  processor.startCapture(0);
  play(processor, camera.editor, 120);
  camera.take("capturing");
  camera.editor.filesDropped({song, "/nowhere/absent.mp3"}, 0, 0);
  const auto& items = processor.files().items();
  waitUntil(processor, [&] { return items.front().share > 0.2; });
  camera.take("files-running");
  processor.capture().stop();
  waitUntil(processor, [&] { return items.size() == 3 && !processor.files().isRunning(); });
  auto* start = find<juce::Button>(camera.editor, "Play stems of " + items.front().file.getFileName());
  processor.setNonRealtime(false);
  start->onClick();
  juce::AudioBuffer<float> buffer(2, kBlockSamples);
  juce::MidiBuffer midi;
  for (int block = 0; block < 200; ++block) {
    buffer.clear();
    processor.processBlock(buffer, midi);
    juce::Thread::sleep(10);
  }
  waitUntil(processor, [] { return true; });
  camera.take("files", 1.5F);
  start->onClick();
  camera.editor.closePage();
  camera.editor.refresh();
}

void takePages(stemlane::StemlaneProcessor& processor, Camera& camera, const char* song) {
  camera.editor.showSettings();
  camera.take("settings");
  camera.editor.showAbout();
  camera.take("about");
  camera.editor.askForPresetName();
  camera.take("save-preset");
  takeModels(processor, camera);
  takeFailedCapture(processor, camera);
  takeFiles(processor, camera, song);
}

// A block of a sine.
void playSine(stemlane::StemlaneProcessor& processor) {
  juce::AudioBuffer<float> buffer(2, kBlockSamples);
  juce::MidiBuffer midi;
  for (int channel = 0; channel < 2; ++channel)
    for (int n = 0; n < kBlockSamples; ++n)
      buffer.setSample(channel, n, 0.2F * std::sin(0.05F * static_cast<float>(n)));
  processor.processBlock(buffer, midi);
}

// Faster than any engine: its stems are late.
void takeLate(stemlane::StemlaneProcessor& processor, Camera& camera) {
  processor.setNonRealtime(false);
  for (int block = 0; block < 3000 && processor.status().state != stemlane::EngineState::late; ++block) {
    playSine(processor);
    camera.editor.refresh();
  }
  camera.take("late");
}

// Of some device that no network is for.
void takeImpossibleRate(stemlane::StemlaneProcessor& processor, Camera& camera) {
  constexpr double kTooHighRate = 2.0 * stemlane::kHighestRate;
  processor.setRateAndBufferSizeDetails(kTooHighRate, kBlockSamples);
  processor.prepareToPlay(kTooHighRate, kBlockSamples);
  camera.take("impossible-rate");
}

/// One state, once the engine is in it; with a song, the page of files where it has failed.
void takeState(stemlane::StemlaneProcessor& processor, Camera& camera, stemlane::EngineState state,
               const juce::String& name, const char* song) {
  for (int tenths = 0; tenths < 300 && processor.status().state != state; ++tenths) {
    juce::Thread::sleep(100);
    if (state == stemlane::EngineState::failed) playSine(processor);  // some fail only then
  }
  camera.take(name.toRawUTF8());
  if (state == stemlane::EngineState::ready) {
    camera.editor.showSettings();
    camera.take((name + "-settings").toRawUTF8());
  }
  if (song == nullptr) return;
  camera.editor.filesDropped({song}, 0, 0);
  waitUntil(processor, [&] { return !processor.files().isRunning(); });
  camera.take((name + "-file").toRawUTF8());
  if (processor.files().items().front().state == stemlane::FileQueue::State::failed) return;
  std::cerr << "stemlane-editor-picture: " << song << " has not failed\n";
  camera.failed = true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string manner = argc > 3 ? argv[3] : "";
  const bool fails = manner == "--failed" && (argc == 5 || argc == 6);
  const bool isOneState = fails || (manner == "--ready" && argc == 5);
  if (argc != 4 && !isOneState) {
    std::cerr << "usage: stemlane-editor-picture FOLDER MODEL (SONG < AUDIO | --failed NAME [SONG] | --ready "
                 "NAME)\n";
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
  if (isOneState) {
    const auto state = fails ? stemlane::EngineState::failed : stemlane::EngineState::ready;
    takeState(processor, camera, state, argv[4], argc == 6 ? argv[5] : nullptr);
    return camera.failed ? 1 : 0;
  }
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
  takeLate(processor, camera);
  processor.setModel("nobody");
  play(processor, editor, 60);
  camera.take("not-installed");
  processor.setModel(argv[2]);
  takeImpossibleRate(processor, camera);
  return camera.failed ? 1 : 0;
}
