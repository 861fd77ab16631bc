// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(__linux__)
#include <malloc.h>
#endif

#include "editor/fader_law.h"
#include "window.h"

using namespace stemlane;

namespace {

StatusTexts texts(StemlaneProcessor& processor) {
  return statusTexts(processor);
}

std::vector<juce::String> shownStrips(StemlaneEditor& editor) {
  std::vector<juce::String> titles;
  for_each_component(editor, [&](juce::Component& component) {
    if (dynamic_cast<StemStrip*>(&component) != nullptr && component.isVisible())
      titles.push_back(component.getTitle());
  });
  return titles;
}

Heard heardOf(StemlaneEditor& editor, const char* strip) {
  editor.refresh();
  auto* found = find<StemStrip>(editor, strip);
  REQUIRE(found != nullptr);
  return found->heard();
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

#if defined(__linux__)
TEST_CASE("200 openings leave nothing behind") {
  StemlaneProcessor processor;
  // Not in a window: a bare one of JUCE leaves 1.2 KB with the X server's library.
  const auto open = [&] {
    StemlaneEditor editor(processor);
    editor.refresh();
    static_cast<void>(editor.createComponentSnapshot(editor.getLocalBounds()));
    for (const auto show : {&StemlaneEditor::showAbout, &StemlaneEditor::showFiles}) {
      (editor.*show)();
      editor.refresh();
      static_cast<void>(editor.createComponentSnapshot(editor.getLocalBounds()));
    }
    editor.showSettings();
    editor.refresh();
  };
  // Fonts and glyphs are cached at first, by JUCE 8 for longer.
  for (int i = 0; i < 200; ++i) open();
  pump();
  const std::size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 200; ++i) open();
  pump();
  // Less than the smallest part of an editor each time. What the allocator keeps at hand counts, too.
  CHECK(mallinfo2().uordblks < before + 200 * sizeof(juce::Component));
}

#endif

TEST_CASE("only the model's stems are shown") {
  Host host("live");
  StemlaneEditor editor(*host.processor);
  const std::vector<juce::String> four = {"Vocals", "Drums", "Bass", "Other", "Output"};
  CHECK(shownStrips(editor) == four);
  const auto& output = *find<StemStrip>(editor, "Output");
  const int width = output.getWidth();
  host.processor->setModel("duo");
  editor.refresh();
  const std::vector<juce::String> two = {"Vocals", "Other", "Output"};
  CHECK(shownStrips(editor) == two);
  CHECK(output.getWidth() > width);
}

TEST_CASE("a strip that is not heard looks it and says why") {
  Host host("live");
  StemlaneEditor editor(*host.processor);
  auto& strips = host.processor->parameters().strips;
  wait_for([&] { return host.processor->status().state != EngineState::failed; });
  CHECK(heardOf(editor, "Vocals") == Heard::yes);
  *strips[0].mute = true;
  CHECK(heardOf(editor, "Vocals") == Heard::muted);
  *strips[1].solo = true;
  CHECK(heardOf(editor, "Drums") == Heard::yes);
  CHECK(heardOf(editor, "Bass") == Heard::notSoloed);
  *strips[1].gain = -60.0F;
  CHECK(heardOf(editor, "Drums") == Heard::silent);
  CHECK(find<StemStrip>(editor, "Drums")->getDescription() == "fader down");
  *host.processor->parameters().bypass = true;
  CHECK(heardOf(editor, "Drums") == Heard::passedBy);
  CHECK(heardOf(editor, "Output") == Heard::yes);
  CHECK(texts(*host.processor).says.startsWith("Bypassed: you hear the mixture"));
}

TEST_CASE("a failure greys the strips, says what is heard instead, and offers what helps") {
  Host host("nobody");
  Window window(*host.processor);
  CHECK(heardOf(window.editor, "Vocals") == Heard::passedBy);
  CHECK(texts(*host.processor).state == "Failed");
  CHECK(texts(*host.processor).says.contains("model 'nobody' is not installed"));
  CHECK(texts(*host.processor).says.contains("You hear the mixture, unseparated, in time"));
  window.editor.refresh();
  window.click(window.get<juce::TextButton>("Fix"));
  CHECK(host.processor->modelName() == "live");
  CHECK(host.processor->remedy() == StemlaneProcessor::Remedy::none);

  host.processor->setModel("refuses");
  *host.processor->parameters().strips[0].mute = true;  // what is offline and equal waits for no engine
  host.play(noise(2, 2000));
  REQUIRE(wait_for([&] { return host.processor->status().state == EngineState::failed; }));
  window.editor.refresh();
  CHECK(find<juce::TextButton>(window.editor, "Fix")->isVisible());
  CHECK(heardOf(window.editor, "Vocals") == Heard::passedBy);
}

TEST_CASE("trying again starts another engine, and the music stays in place") {
  Host host("live");
  *host.processor->parameters().strips[0].mute = true;
  const Audio in = noise(2, 20000);
  host.play(in);
  const int latency = host.latency();
  host.processor->restartEngine();
  CHECK(host.latency() == latency);
  CHECK(is_delayed(host.play(in), 0, in, 0, latency, 1.0F - kShares[0], 2e-7F));
}

TEST_CASE("a model that is too much for the machine is changed for a lighter one with one click") {
  for (const char* model : {"live", "mix"}) {
    Host host(model, layout(kStereo, kNone), false);
    *host.processor->parameters().strips[0].mute = true;
    Window window(*host.processor);
    const Audio in = noise(2, 44'100);
    REQUIRE(wait_for([&] {
      host.play(in);  // faster than any engine
      return host.processor->status().state == EngineState::late;
    }));
    window.editor.refresh();
    auto& fix = window.get<juce::TextButton>("Fix");
    INFO(model);
    CHECK(fix.isVisible() == (host.processor->modelName() == "live"));
    if (!fix.isVisible()) continue;
    CHECK(fix.getButtonText() == "Use mix");
    window.click(fix);
    CHECK(host.processor->modelName() == "mix");
  }
}

TEST_CASE("figures: latency, load and late stems") {
  Host host("live");
  host.play(noise(2, 100'000));
  const juce::String figures = texts(*host.processor).figures;
  CHECK(figures.contains("latency " + juce::String(1000.0 * host.latency() / 44100.0, 1) + " ms, " +
                         juce::String(host.latency()) + " samples at 44.1 kHz"));
  CHECK(figures.contains("never late"));
}

TEST_CASE("the load is what the engine's steps took, and their time counts where they have to be in time") {
  Host host("duo");
  *host.processor->parameters().strips[0].mute = true;
  host.play(noise(2, 100'000));
  CHECK(texts(*host.processor).figures.contains("load 10 % of a core"));
  CHECK_FALSE(texts(*host.processor).figures.contains("deadline"));  // a render waits
  host.processor->setNonRealtime(false);
  const juce::String dot = juce::String::fromUTF8(" \u00b7 ");
  CHECK(texts(*host.processor)
            .figures.contains("load 10 % of a core" + dot + "5 % of the deadline used (p99)"));
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
  CHECK(host.processor->takeOutputPeak(1) > 0.9F);
  CHECK(host.processor->takeStemPeak(0, 0) == Approx(0.5F).margin(0.01));
  CHECK(host.processor->takeStemPeak(0, 0) == 0.0F);
  CHECK(host.processor->takeStemPeak(0, 1) == Approx(0.5F).margin(0.01));
  CHECK(host.processor->takeStemPeak(3, 0) == 0.0F);
}

TEST_CASE("an offline render that needs no stems shows none, and does not call the mixture a stem") {
  Host host("live");
  host.processor->setMeters(true);
  host.play(noise(2, 10000));
  CHECK(host.processor->takeOutputPeak(0) > 0.9F);
  CHECK(host.processor->takeStemPeak(kOtherStem, 0) == 0.0F);
  CHECK(host.processor->tap().num_ready() == 0);
}

TEST_CASE("a meter falls by 24 dB a second, holds its peak and remembers a clip until it is clicked") {
  StereoMeter meter("level", juce::Colours::white);
  meter.setSize(13, 200);
  meter.show({0.5F, 2.0F}, 2, 0.0F);
  CHECK(meter.levelDb(0) == Approx(-6.0206F));
  CHECK(meter.levelDb(1) == Approx(6.0206F));
  CHECK(meter.hasClipped());
  meter.show({0.0F, 0.0F}, 2, 0.5F);
  CHECK(meter.levelDb(0) == Approx(-18.0206F));
  CHECK(meter.peakDb(0) == Approx(-6.0206F));
  meter.show({0.0F, 0.0F}, 2, 1.5F);
  CHECK(meter.levelDb(0) == Approx(-54.0206F));
  CHECK(meter.peakDb(0) == Approx(-42.0206F));
  CHECK(meter.highestDb() == Approx(6.0206F));
  meter.forget();
  CHECK_FALSE(meter.hasClipped());
  CHECK(meter.highestDb() == kSilenceDb);
  meter.show({0.999F, 0.0F}, 2, 0.1F);
  CHECK_FALSE(meter.hasClipped());
}
