// SPDX-License-Identifier: GPL-3.0-or-later
#include <catch2/catch.hpp>

#include "editor/PluginEditor.h"
#include "processor_fixture.h"

using namespace stemlane;

namespace {

juce::Image picture(StemlaneEditor& editor) {
  editor.refresh();
  return editor.createComponentSnapshot(editor.getLocalBounds());
}

bool same(const juce::Image& one, const juce::Image& other) {
  for (int y = 0; y < one.getHeight(); ++y)
    for (int x = 0; x < one.getWidth(); ++x)
      if (one.getPixelAt(x, y) != other.getPixelAt(x, y)) return false;
  return true;
}

template <typename Widget>
Widget* find(juce::Component& parent, const juce::String& text) {
  for (auto* child : parent.getChildren()) {
    if (auto* widget = dynamic_cast<Widget*>(child); widget != nullptr && widget->getTitle() == text)
      return widget;
    if (auto* widget = find<Widget>(*child, text)) return widget;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("the editor opens and closes with and without an engine") {
  for (int round = 0; round < 10; ++round) {
    StemlaneProcessor processor;
    if (round % 2 == 1) processor.prepareToPlay(44100.0, 512);
    const std::unique_ptr<juce::AudioProcessorEditor> editor(processor.createEditor());
    REQUIRE(editor != nullptr);
    CHECK(editor->getWidth() > 0);
  }
}

TEST_CASE("the editor shows faders, meters and models as they change") {
  Host host("mix");
  StemlaneEditor editor(*host.processor);
  const juce::Image before = picture(editor);
  *host.processor->parameters().strips[0].gain = -12.0F;
  auto* fader = find<juce::Slider>(editor, "Vocals gain");
  REQUIRE(fader != nullptr);
  CHECK(fader->getTextFromValue(-60.0) == "-inf dB");
  CHECK(fader->getValueFromText("-inf dB") == -60.0);

  host.play(noise(2, 30000));
  const juce::Image playing = picture(editor);
  CHECK_FALSE(same(before, playing));
  host.processor->setModel("nobody");
  CHECK_FALSE(same(playing, picture(editor)));
}

TEST_CASE("meters run only while an editor is open") {
  Host host("live");
  const Audio in = noise(2, 10000);
  host.play(in);
  CHECK(host.processor->takeOutputPeak(0) == 0.0F);
  CHECK(host.processor->takeStemPeak(0, 0) == 0.0F);
  host.processor->setMeters(true);
  *host.processor->parameters().strips[1].mute = true;  // without it, a render need not wait for the stems
  host.play(in);
  CHECK(host.processor->takeOutputPeak(0) > 0.9F);
  CHECK(host.processor->takeStemPeak(0, 0) == Approx(0.5F).margin(0.01));
  CHECK(host.processor->takeStemPeak(0, 0) == 0.0F);
  CHECK(host.processor->takeStemPeak(3, 0) == 0.0F);
}
