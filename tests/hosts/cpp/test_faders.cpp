// SPDX-License-Identifier: GPL-3.0-or-later
#include "editor/Fader.h"
#include "editor/fader_law.h"
#include "editor/gain_display.h"
#include "window.h"

using namespace stemlane;

TEST_CASE("the fader's law: unity at three quarters, fine around it, and its inverse") {
  CHECK(faderPosition(12.0) == 1.0);
  CHECK(faderPosition(0.0) == 0.75);
  CHECK(faderPosition(-60.0) == 0.0);
  CHECK(faderPosition(6.0) == 0.875);
  // (1 - 24 / 60)^(5/3) = 0.6^(5/3), and so on.
  CHECK(faderPosition(-24.0) == Approx(0.75 * 0.426830).epsilon(1e-5));
  CHECK(faderPosition(-6.0) == Approx(0.75 * 0.838945).epsilon(1e-5));
  CHECK(faderPosition(-48.0) == Approx(0.75 * 0.068399).epsilon(1e-4));
  CHECK(faderPosition(-100.0) == 0.0);
  CHECK(faderPosition(99.0) == 1.0);
  // The same slope on both sides of unity, a 48th of the way a dB: half as fine again as linear in dB.
  CHECK((faderPosition(0.01) - faderPosition(0.0)) / 0.01 == Approx(1.0 / 48.0).epsilon(1e-6));
  CHECK((faderPosition(0.0) - faderPosition(-0.01)) / 0.01 == Approx(1.0 / 48.0).epsilon(1e-3));
  for (int tenths = -600; tenths <= 120; ++tenths) {
    const double gainDb = tenths / 10.0;
    CHECK(faderGainAt(faderPosition(gainDb)) == Approx(gainDb).margin(1e-9));
    if (tenths > -600) CHECK(faderPosition(gainDb) > faderPosition(gainDb - 0.1));
  }
  CHECK(faderGainAt(-1.0) == -60.0);
  CHECK(faderGainAt(2.0) == 12.0);
}

TEST_CASE("gains and levels are written with real signs") {
  CHECK(shownGain(0.0F) == "0.0 dB");
  CHECK(shownGain(3.0F) == "+3.0 dB");
  CHECK(shownGain(-3.0F) == juce::String::fromUTF8("\u22123.0 dB"));
  CHECK(shownGain(-60.0F) == juce::String::fromUTF8("\u2212\u221e dB"));
  CHECK(shownLevel(-6.24F) == juce::String::fromUTF8("\u22126.2"));
  CHECK(shownLevel(1.0F) == "+1.0");
  CHECK(shownLevel(-0.04F) == "0.0");
  CHECK(shownLevel(kSilenceDb) == juce::String::fromUTF8("\u2212\u221e"));
}

namespace {

/// An editor with the faders of the vocals and the drums at hand.
struct Desk {
  Host host{"live"};
  Window window{*host.processor};
  Fader& fader = window.get<Fader>("Vocals gain");
  juce::AudioParameterFloat& vocals = *host.processor->parameters().strips[0].gain;
  juce::AudioParameterFloat& drums = *host.processor->parameters().strips[1].gain;
  juce::AudioParameterFloat& guitar = *host.processor->parameters().strips[3].gain;

  float length() const { return fader.getPositionOfValue(-60.0) - fader.getPositionOfValue(12.0); }
};

}  // namespace

TEST_CASE("a click on the track does not move the fader, and a drag moves it from where it is") {
  Desk desk;
  desk.vocals = -6.0F;
  const auto low =
      desk.window.middle(desk.fader).withY(desk.window.middle(desk.fader).y + 0.3F * desk.length());
  desk.window.click(low);
  CHECK(desk.vocals.get() == -6.0F);

  desk.window.press(low);
  desk.window.drag(0.0F, -20.0F);
  desk.window.release();
  const double position = faderPosition(-6.0) + 20.0 / desk.length();
  CHECK(desk.vocals.get() == Approx(faderGainAt(position)).margin(0.05));
}

TEST_CASE("a drag with Shift or Ctrl is ten times as fine, and to and fro it comes back") {
  Desk desk;
  for (const int keys : {static_cast<int>(Keys::shiftModifier), static_cast<int>(Keys::ctrlModifier)}) {
    desk.vocals = 0.0F;
    desk.window.press(desk.window.middle(desk.fader), keys);
    desk.window.drag(0.0F, 40.0F, keys);
    CHECK(desk.vocals.get() == Approx(faderGainAt(0.75 - 4.0 / desk.length())).margin(0.05));
    desk.window.drag(0.0F, -40.0F, keys);
    desk.window.release(keys);
    CHECK(desk.vocals.get() == 0.0F);
  }
  // The key may come in the middle.
  desk.window.press(desk.window.middle(desk.fader));
  desk.window.drag(0.0F, 40.0F);
  desk.window.drag(0.0F, 40.0F, Keys::shiftModifier);
  desk.window.release();
  CHECK(desk.vocals.get() == Approx(faderGainAt(0.75 - 44.0 / desk.length())).margin(0.05));
}

TEST_CASE("the wheel makes steps of a dB, with Shift or Ctrl of a tenth") {
  Desk desk;
  desk.window.wheel(desk.fader, 0.3F);
  CHECK(desk.vocals.get() == 1.0F);
  for (int i = 0; i < 13; ++i) desk.window.wheel(desk.fader, -0.3F, Keys::shiftModifier);
  CHECK(desk.vocals.get() == Approx(-0.3F));
  desk.window.wheel(desk.fader, -0.3F, Keys::ctrlModifier);
  CHECK(desk.vocals.get() == Approx(-0.4F));
  // A touchpad sends crumbs.
  desk.vocals = 0.0F;
  for (int i = 0; i < 9; ++i) desk.window.wheel(desk.fader, 0.03F, 0, true);
  CHECK(desk.vocals.get() == 2.0F);
  // Upwards from silence, and no further than the ends.
  desk.vocals = -60.0F;
  desk.window.wheel(desk.fader, 0.3F);
  CHECK(desk.vocals.get() == -59.0F);
  for (int i = 0; i < 100; ++i) desk.window.wheel(desk.fader, 0.3F);
  CHECK(desk.vocals.get() == 12.0F);
}

TEST_CASE("a double-click, an Alt-click and Delete reset") {
  Desk desk;
  desk.vocals = -20.0F;
  desk.window.double_click(desk.fader);
  CHECK(desk.vocals.get() == 0.0F);
  desk.vocals = 5.0F;
  desk.window.click(desk.fader, Keys::altModifier);
  CHECK(desk.vocals.get() == 0.0F);
  desk.vocals = 5.0F;
  desk.window.focus(desk.fader);
  desk.window.key(juce::KeyPress::deleteKey);
  CHECK(desk.vocals.get() == 0.0F);
}

TEST_CASE("the keyboard moves a fader as the wheel does") {
  Desk desk;
  desk.window.focus(desk.fader);
  desk.window.key(juce::KeyPress::upKey);
  CHECK(desk.vocals.get() == 1.0F);
  desk.window.key(juce::KeyPress::downKey, Keys::shiftModifier);
  CHECK(desk.vocals.get() == Approx(0.9F));
  desk.window.key(juce::KeyPress::pageDownKey);
  CHECK(desk.vocals.get() == Approx(-5.1F));
  desk.window.key(juce::KeyPress::endKey);
  CHECK(desk.vocals.get() == -60.0F);
  desk.window.key(juce::KeyPress::homeKey);
  CHECK(desk.vocals.get() == 12.0F);
}

TEST_CASE("values are typed as the parameter's text, and nonsense leaves them alone") {
  Desk desk;
  const auto type = [&](const char* text) {
    // The X server may still take the keyboard away and give it back; a box that loses it closes.
    juce::Component::SafePointer<juce::TextEditor> box;
    REQUIRE(wait_for([&] {
      if (box == nullptr) {
        desk.window.focus(desk.fader);
        desk.window.key(juce::KeyPress::returnKey);
        for_each_component(desk.fader, [&](juce::Component& child) {
          if (auto* found = dynamic_cast<juce::TextEditor*>(&child)) box = found;
        });
      }
      pump();
      return box != nullptr && box->hasKeyboardFocus(true);
    }));
    box->selectAll();
    desk.window.type(juce::String::fromUTF8(text));
    desk.window.key(juce::KeyPress::returnKey);
  };
  type("-7.5");
  CHECK(desk.vocals.get() == -7.5F);
  type("\u22122,5 dB");
  CHECK(desk.vocals.get() == -2.5F);
  for (const char* nonsense : {"loud", "", "--3", "nan"}) {
    type(nonsense);
    CHECK(desk.vocals.get() == -2.5F);
    CHECK(desk.fader.getTextFromValue(desk.fader.getValue()) == juce::String::fromUTF8("\u22122.5 dB"));
  }
  type("mute");
  CHECK(desk.vocals.get() == -60.0F);
  type("+99");
  CHECK(desk.vocals.get() == 12.0F);
}

TEST_CASE("who types goes on when the strip falls silent") {
  Desk desk;
  const auto* strip = desk.fader.getParentComponent();
  const auto box = [&] {
    juce::TextEditor* found = nullptr;
    for_each_component(desk.fader, [&](juce::Component& child) {
      if (auto* editor = dynamic_cast<juce::TextEditor*>(&child)) found = editor;
    });
    return found;
  };
  desk.fader.showTextBox();
  REQUIRE(box() != nullptr);
  box()->setText("-12");
  const auto usual = desk.fader.findColour(juce::Slider::textBoxTextColourId);
  for (const bool isMuted : {true, false}) {
    *desk.host.processor->parameters().strips[0].mute = isMuted;
    desk.window.editor.refresh();
    REQUIRE((strip->getDescription() == "muted") == isMuted);
    CHECK((desk.fader.findColour(juce::Slider::textBoxTextColourId) == usual) == !isMuted);
    REQUIRE(box() != nullptr);
    CHECK(box()->getText() == "-12");
    CHECK(desk.fader.getChildComponent(0)->findColour(juce::Label::textColourId) ==
          desk.fader.findColour(juce::Slider::textBoxTextColourId));
  }
  auto* label = dynamic_cast<juce::Label*>(desk.fader.getChildComponent(0));
  REQUIRE(label != nullptr);
  label->hideEditor(false);
  CHECK(desk.vocals.get() == -12.0F);
}

TEST_CASE("linked faders move by as many dB, wait at the ends and keep what they were apart") {
  Desk desk;
  auto& link = desk.window.get<juce::TextButton>("Link faders");
  desk.window.click(link);
  REQUIRE(link.getToggleState());
  desk.vocals = -6.0F;
  desk.drums = 9.0F;
  desk.guitar = -6.0F;
  auto& bass = *desk.host.processor->parameters().strips[2].gain;
  bass = -60.0F;
  auto& output = *desk.host.processor->parameters().outputGain;

  desk.window.press(desk.window.middle(desk.fader));
  desk.window.drag(0.0F, -1000.0F);
  CHECK(desk.vocals.get() == 12.0F);
  CHECK(desk.drums.get() == 12.0F);
  desk.window.drag(0.0F, 2000.0F);
  desk.window.drag(0.0F, -static_cast<float>(faderPosition(-6.0)) * desk.length());
  desk.window.release();
  CHECK(desk.vocals.get() == Approx(-6.0F).margin(0.11));
  CHECK(desk.drums.get() == Approx(desk.vocals.get() + 15.0F).margin(0.01));
  CHECK(bass.get() == -60.0F);        // silence is no number of dB away
  CHECK(desk.guitar.get() == -6.0F);  // the model has none
  CHECK(output.get() == 0.0F);

  desk.window.click(link);
  const float before = desk.drums.get();
  desk.window.wheel(desk.fader, 0.3F);
  CHECK(desk.drums.get() == before);
}

namespace {

/// What a host hears of a parameter.
struct Gestures final : juce::AudioProcessorParameter::Listener {
  void parameterValueChanged(int, float) override { ++numValues; }
  void parameterGestureChanged(int, bool begins) override { depth += begins ? 1 : (++numGestures, -1); }
  int numValues = 0, numGestures = 0, depth = 0;
};

}  // namespace

TEST_CASE("a slider that goes while it is held ends its gesture") {
  Host host{"live"};
  const auto& strip = host.processor->parameters().strips[0];
  const std::pair<const char*, juce::AudioProcessorParameter*> sliders[] = {{"Vocals gain", strip.gain},
                                                                            {"Vocals focus", strip.focus}};
  for (const auto& [name, parameter] : sliders) {
    INFO(name);
    Gestures heard;
    parameter->addListener(&heard);
    auto window = std::make_unique<Window>(*host.processor);
    window->press(window->middle(window->get<juce::Slider>(name)));
    window->drag(5.0F, 5.0F);
    CHECK(heard.depth == 1);
    window.reset();
    CHECK(heard.depth == 0);
    CHECK(heard.numGestures == 1);
    parameter->removeListener(&heard);
  }
}

TEST_CASE("a drag is one gesture for the host, and so is a step of the wheel") {
  Gestures heard;
  Desk desk;
  static_cast<juce::AudioProcessorParameter&>(desk.vocals).addListener(&heard);
  desk.window.press(desk.window.middle(desk.fader));
  desk.window.drag(0.0F, 10.0F);
  CHECK(heard.depth == 1);
  desk.window.drag(0.0F, 10.0F);
  desk.window.release();
  CHECK(heard.depth == 0);
  CHECK(heard.numGestures == 1);
  CHECK(heard.numValues == 2);
  desk.window.wheel(desk.fader, 0.3F);
  CHECK(heard.numGestures == 2);
  static_cast<juce::AudioProcessorParameter&>(desk.vocals).removeListener(&heard);
}
