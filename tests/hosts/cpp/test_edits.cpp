// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdlib>

#include "processor/Presets.h"
#include "window.h"

using namespace stemlane;

namespace {

/// A home of its own for the user's presets.
struct Home {
  Home() : folder(juce::File::createTempFile("home")) {
    folder.createDirectory();
    set(folder.getFullPathName().toRawUTF8());
  }
  ~Home() {
    set(before.toRawUTF8());
    folder.deleteRecursively();
  }
  static void set(const char* value) {
#if defined(_WIN32)
    _putenv_s(kVariable, value);
#else
    setenv(kVariable, value, 1);
#endif
  }

  static constexpr const char* kVariable =
      *contract::kUserData.variable != 0 ? contract::kUserData.variable : "HOME";
  const juce::String before = juce::SystemStats::getEnvironmentVariable(kVariable, {});
  juce::File folder;
};

}  // namespace

TEST_CASE("undo and redo take what the hand has done, and leave automation alone") {
  Host host("live");
  Window window(*host.processor);
  auto& fader = window.get<Fader>("Vocals gain");
  auto& vocals = *host.processor->parameters().strips[0].gain;
  auto& drums = *host.processor->parameters().strips[1].gain;
  window.wheel(fader, 0.3F);
  window.wheel(fader, 0.3F);
  drums = -9.0F;  // as a host's automation does: no gesture
  window.click(window.get<juce::TextButton>("Mute Vocals"));
  CHECK(host.processor->parameters().strips[0].mute->get());

  auto& undo = window.get<juce::TextButton>("Undo");
  window.editor.refresh();
  window.click(undo);
  CHECK_FALSE(host.processor->parameters().strips[0].mute->get());
  CHECK(vocals.get() == 2.0F);
  window.focus(fader);
  window.key('Z', Keys::ctrlModifier);
  CHECK(vocals.get() == 1.0F);
  window.key('Z', Keys::ctrlModifier);
  CHECK(vocals.get() == 0.0F);
  CHECK(drums.get() == -9.0F);
  window.editor.refresh();
  CHECK_FALSE(undo.isEnabled());
  window.key('Z', Keys::ctrlModifier | Keys::shiftModifier);
  CHECK(vocals.get() == 1.0F);
  window.key('Y', Keys::ctrlModifier);
  CHECK(vocals.get() == 2.0F);
  // What is done anew ends what could be done again.
  window.key('Z', Keys::ctrlModifier);
  window.wheel(fader, -0.3F);
  CHECK_FALSE(host.processor->edits().canRedo());
}

TEST_CASE("reset all is one edit, and spares bypass") {
  Host host("live");
  Window window(*host.processor);
  auto& parameters = host.processor->parameters();
  *parameters.strips[0].gain = -12.0F;
  *parameters.strips[1].mute = true;
  *parameters.outputGain = -3.0F;
  *parameters.bypass = true;
  window.click(window.get<juce::TextButton>("Reset all"));
  CHECK(parameters.strips[0].gain->get() == 0.0F);
  CHECK_FALSE(parameters.strips[1].mute->get());
  CHECK(parameters.outputGain->get() == 0.0F);
  CHECK(parameters.bypass->get());
  host.processor->edits().undo();
  CHECK(parameters.strips[0].gain->get() == -12.0F);
  CHECK(parameters.strips[1].mute->get());
  CHECK(parameters.outputGain->get() == -3.0F);
}

TEST_CASE("A and B keep their values and their edits apart") {
  Host host("live");
  Window window(*host.processor);
  auto& vocals = *host.processor->parameters().strips[0].gain;
  auto& fader = window.get<Fader>("Vocals gain");
  auto& a = window.get<juce::TextButton>("Setting A");
  auto& b = window.get<juce::TextButton>("Setting B");
  CHECK(a.getToggleState());
  window.wheel(fader, 0.3F);
  window.click(b);
  CHECK(b.getToggleState());
  CHECK(vocals.get() == 1.0F);
  window.wheel(fader, -0.3F);
  window.wheel(fader, -0.3F);
  CHECK(vocals.get() == -1.0F);
  window.click(a);
  CHECK(vocals.get() == 1.0F);
  window.click(a);
  CHECK(vocals.get() == 1.0F);
  host.processor->edits().undo();
  CHECK(vocals.get() == 0.0F);
  window.click(b);
  CHECK(vocals.get() == -1.0F);
  host.processor->edits().copyToOtherSlot();
  window.click(a);
  CHECK(vocals.get() == -1.0F);
}

TEST_CASE("edits are kept up to a number") {
  Host host("live");
  auto* vocals = host.processor->parameters().strips[0].gain;
  Edits& edits = host.processor->edits();
  for (std::size_t i = 0; i < Edits::kMostEdits + 10; ++i) edits.apply({{vocals, i % 2 == 0 ? 0.25F : 0.5F}});
  std::size_t count = 0;
  for (; edits.canUndo(); ++count) edits.undo();
  CHECK(count == Edits::kMostEdits);
}

TEST_CASE("one touch: a preset, and back; balances stay") {
  Host host("live");
  Window window(*host.processor);
  auto& parameters = host.processor->parameters();
  *parameters.strips[1].gain = -4.0F;
  *parameters.strips[2].solo = true;
  auto& karaoke = window.get<juce::TextButton>("Karaoke");
  window.click(karaoke);
  CHECK(parameters.strips[0].mute->get());
  CHECK_FALSE(parameters.strips[2].solo->get());
  CHECK(parameters.strips[1].gain->get() == -4.0F);
  CHECK(karaoke.getToggleState());
  window.click(window.get<juce::TextButton>("A cappella"));
  CHECK_FALSE(parameters.strips[0].mute->get());
  CHECK(parameters.strips[0].solo->get());
  CHECK_FALSE(karaoke.getToggleState());
  window.click(window.get<juce::TextButton>("A cappella"));
  CHECK_FALSE(parameters.strips[0].solo->get());
  window.click(window.get<juce::TextButton>("Vocals +3 dB"));
  CHECK(parameters.strips[0].gain->get() == 3.0F);
}

TEST_CASE("a one-touch button shows which of the model's stems it lets through") {
  constexpr StemSet kFour = {true, true, true, false, false, true};
  const auto heard = [](const char* name, const StemSet& present) {
    for (const Preset& preset : builtInPresets())
      if (preset.name == name) return heardIn(preset, present);
    return StemSet{};
  };
  CHECK(heard("Karaoke", kFour) == StemSet{false, true, true, false, false, true});
  CHECK(heard("A cappella", kFour) == StemSet{true, false, false, false, false, false});
  CHECK(heard("Drums + bass", kFour) == StemSet{false, true, true, false, false, false});
  CHECK(heard("Vocals +3 dB", kFour) == kFour);
  CHECK(heard("Karaoke", {true, true, true, true, true, true}) ==
        StemSet{false, true, true, true, true, true});

  Host host("live");
  Window window(*host.processor);
  for (const bool lit : {false, true}) {
    auto& button = window.get<PresetButton>("Karaoke");
    if (lit) window.click(button);
    CHECK(button.getToggleState() == lit);
    const juce::Image image = button.createComponentSnapshot(button.getLocalBounds());
    for (const std::size_t stem : {0, 1, 2, 5}) {
      const auto piece = button.pieceOf(stem).getCentre();
      CHECK(image.getPixelAt(piece.x, piece.y) ==
            (stem == 0 ? colours::groove : colours::stem(static_cast<int>(stem))));
    }
    CHECK(button.pieceOf(3).isEmpty());
  }
}

TEST_CASE("each preset that comes with it names parameters that there are, in values that they have") {
  StemlaneProcessor processor;
  const auto parameters = processor.parameters().settings();
  for (const Preset& preset : builtInPresets()) {
    INFO(preset.name.toStdString());
    CHECK(fitsModel(preset, {true, true, true, true, true, true}));
    processor.edits().apply(neutralSettings(parameters));
    CHECK_FALSE(isInForce(preset, parameters));
    processor.edits().apply(settingsOf(preset, parameters));
    CHECK(isInForce(preset, parameters));
    for (const auto& [id, value] : preset.settings) {
      const auto* named =
          std::find_if(parameters.begin(), parameters.end(), [&, name = id](const auto* parameter) {
            return dynamic_cast<const juce::AudioProcessorParameterWithID*>(parameter)->getParameterID() ==
                   name;
          });
      REQUIRE(named != parameters.end());
      CHECK((*named)->getCurrentValueAsText() == value);
    }
  }
}

TEST_CASE("presets for stems that the model lacks are not offered") {
  const Preset guitar{"", {{"guitar_mute", "On"}, {"vocals_gain", "3.0"}}};
  CHECK_FALSE(fitsModel(guitar, {true, true, true, false, false, true}));
  CHECK(fitsModel(guitar, {true, true, true, true, false, true}));
}

TEST_CASE("the user's presets are files that come back") {
  const Home home;
  StemlaneProcessor processor;
  const auto parameters = processor.parameters().settings();
  CHECK(usersPresets().empty());
  *processor.parameters().strips[0].gain = -60.0F;
  *processor.parameters().strips[2].gain = 4.5F;
  *processor.parameters().strips[1].mute = true;
  *processor.parameters().bypass = true;
  CHECK(savePreset("Probe / \u00fcben", parameters).isEmpty());
  processor.edits().apply(neutralSettings(parameters));
  *processor.parameters().bypass = false;

  const auto presets = usersPresets();
  REQUIRE(presets.size() == 1);
  processor.edits().apply(settingsOf(presets[0], parameters));
  CHECK(processor.parameters().strips[0].gain->get() == -60.0F);
  CHECK(processor.parameters().strips[2].gain->get() == 4.5F);
  CHECK(processor.parameters().strips[1].mute->get());
  CHECK_FALSE(processor.parameters().bypass->get());

  for (const char* name : {"", "  ", "/", "..", ".hidden"}) CHECK(savePreset(name, parameters).isNotEmpty());
  CHECK(savePreset(juce::String::repeatedString("n", 81), parameters).isNotEmpty());
  CHECK(usersPresets().size() == 1);
}

TEST_CASE("what is no preset is left out") {
  const Home home;
  const juce::File folder = presetsFolder();
  folder.createDirectory();
  folder.getChildFile("a.xml").replaceWithText("<STEMLANE version=\"1\" vocals_gain=\"-3.0\" later=\"x\"/>");
  folder.getChildFile("b.xml").replaceWithText("<OTHER vocals_gain=\"-3.0\"/>");
  folder.getChildFile("c.xml").replaceWithText("<STEMLANE vocals_gain=");
  folder.getChildFile("d.xml").replaceWithText("<STEMLANE a=\"" + juce::String::repeatedString("x", 300'000) +
                                               "\"/>");
  folder.getChildFile("e.xml").replaceWithText(
      "<!DOCTYPE S [<!ENTITY a \"b\">]><STEMLANE vocals_gain=\"&a;\"/>");
  folder.getChildFile("f.xml").createDirectory();
  const auto presets = usersPresets();
  REQUIRE(presets.size() == 1);
  CHECK(presets[0].name == "a");
  StemlaneProcessor processor;
  processor.edits().apply(settingsOf(presets[0], processor.parameters().settings()));
  CHECK(processor.parameters().strips[0].gain->get() == -3.0F);
}

TEST_CASE("a preset is saved from the editor, or the editor says why not") {
  const Home home;
  Host host("live");
  Window window(*host.processor);
  window.editor.askForPresetName();
  auto& name = window.get<juce::TextEditor>("Name");
  window.focus(name);
  window.type("Gig");
  window.click(window.get<juce::TextButton>("Save"));
  window.editor.refresh();
  CHECK(find<juce::TextEditor>(window.editor, "Name") == nullptr);
  REQUIRE(usersPresets().size() == 1);
  CHECK(usersPresets()[0].name == "Gig");

  presetsFolder().deleteRecursively();
  presetsFolder().replaceWithText("in the way");
  window.editor.askForPresetName();
  window.get<juce::TextEditor>("Name").setText("Other");
  window.click(window.get<juce::TextButton>("Save"));
  window.editor.refresh();
  CHECK(find<juce::TextEditor>(window.editor, "Name") != nullptr);
}
