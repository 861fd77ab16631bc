// SPDX-License-Identifier: GPL-3.0-or-later
#include <catch2/catch.hpp>

#include <clocale>

#include "processor_fixture.h"

using namespace stemlane;

namespace {

/// Counts what a host is told.
struct Listener final : juce::AudioProcessorListener {
  explicit Listener(juce::AudioProcessor& watched) : processor(watched) { processor.addListener(this); }
  ~Listener() override { processor.removeListener(this); }
  void audioProcessorParameterChanged(juce::AudioProcessor*, int, float) override {}
  void audioProcessorChanged(juce::AudioProcessor*, const ChangeDetails& details) override {
    numLatencyChanges += details.latencyChanged ? 1 : 0;
  }
  juce::AudioProcessor& processor;
  int numLatencyChanges = 0;
};

std::string stateOf(StemlaneProcessor& processor) {
  juce::MemoryBlock block;
  processor.getStateInformation(block);
  const auto xml = juce::AudioProcessor::getXmlFromBinary(block.getData(), static_cast<int>(block.getSize()));
  REQUIRE(xml != nullptr);
  return xml->toString().toStdString();
}

}  // namespace

TEST_CASE("the latency is that of the model, and hosts hear of real changes only") {
  Host host("live");
  Listener listener(*host.processor);
  CHECK(host.latency() == 512 + 512 + 1536 + kFadeReserveSamples);
  for (const int blockSamples : {1, 64, 512, 8192, 512}) host.processor->prepareToPlay(44100.0, blockSamples);
  host.processor->reset();
  host.processor->setModel("live");
  CHECK(listener.numLatencyChanges == 0);
  host.processor->setModel("mix");
  CHECK(listener.numLatencyChanges == 1);
  CHECK(host.latency() == 1024 + 5120 + 4096 + kFadeReserveSamples);
  CHECK(host.processor->getTailLengthSeconds() == Approx(host.latency() / 44100.0));
}

TEST_CASE("a layout query at a new rate already tells the new latency") {
  Host host("live");
  host.processor->setRateAndBufferSizeDetails(48000.0, 512);
  CHECK(host.processor->checkBusesLayoutSupported(layout(kStereo, kNone)));
  const int announced = host.latency();
  host.processor->prepareToPlay(48000.0, 512);
  CHECK(host.latency() == announced);
  CHECK(announced > 512 + 512 + 1536 + kFadeReserveSamples);
}

TEST_CASE("an impulse leaves at the latency, whatever the rate and the block") {
  for (const double sampleRate : {44100.0, 48000.0, 96000.0})
    for (const int blockSamples : {1, 441, 8192}) {
      Host host("mix", layout(kMono, kNone), true, sampleRate, blockSamples);
      Audio in(1, host.latency() + 500);
      in.samples[0][123] = 1.0F;
      CHECK(is_delayed(host.play(in, blockSamples), 0, in, 0, host.latency(), 1.0F, 0.0F));
    }
}

// Through VST3 they cannot come: JUCE's wrapper has no room for them; see docs/HOSTS.md.
TEST_CASE("blocks longer than announced play") {
  Host host("live", layout(kStereo, kStereo), true, 44100.0, 64);
  const Audio in = noise(2, 60000);
  for (const int blockSamples : {65, 5000, 20000, 40000}) {
    host.processor->reset();
    CHECK(is_delayed(host.play(in, blockSamples), 0, in, 0, host.latency(), 1.0F, 0.0F));
  }
}

TEST_CASE("changing the model while playing starts it anew") {
  Host host("live");
  *host.processor->parameters().strips[0].mute = true;
  const Audio in = noise(2, 20000);
  for (const char* model : {"mix", "live", "mix"}) {
    host.processor->setModel(model);
    CHECK(is_delayed(host.play(in), 0, in, 0, host.latency(), 1.0F - kShares[0], 2e-7F));
  }
}

TEST_CASE("a rate that cannot work is a state, and the mixture passes") {
  Host host("live", layout(kStereo, kNone), true, 10.0);
  CHECK(host.processor->status().state == EngineState::failed);
  CHECK_THAT(host.processor->status().text, Catch::Contains("sample rate"));
  CHECK(host.latency() == 0);
  const Audio in = noise(2, 1000);
  CHECK(is_delayed(host.play(in), 0, in, 0, 0, 1.0F, 0.0F));
  host.processor->prepareToPlay(44100.0, 512);
  CHECK(is_delayed(host.play(in), 0, in, 0, host.latency(), 1.0F, 0.0F));
}

TEST_CASE("a model that is not installed, or whose engine fails, passes the mixture and says why") {
  Host host("nobody");
  const Audio in = noise(2, 10000);
  *host.processor->parameters().strips[0].mute = true;
  CHECK(is_delayed(host.play(in), 0, in, 0, host.latency(), 1.0F, 0.0F));
  CHECK_THAT(host.processor->status().text, Catch::Contains("model 'nobody' is not installed"));
  CHECK(host.processor->modelName() == "nobody");

  host.processor->setModel("refuses");
  CHECK(is_delayed(host.play(in), 0, in, 0, host.latency(), 1.0F, 0.0F));
  CHECK(host.processor->status().state == EngineState::failed);
  CHECK_THAT(host.processor->status().text, Catch::Contains("no such model"));
}

TEST_CASE("a state survives and a damaged one changes nothing") {
  Host one("mix");
  *one.processor->parameters().strips[0].gain = -60.0F;
  *one.processor->parameters().strips[3].gain = 7.3F;
  *one.processor->parameters().strips[5].solo = true;
  *one.processor->parameters().outputGain = -0.1F;
  juce::MemoryBlock saved;
  one.processor->getStateInformation(saved);
  const std::string before = stateOf(*one.processor);

  StemlaneProcessor other;
  other.setStateInformation(saved.getData(), static_cast<int>(saved.getSize()));
  CHECK(stateOf(other) == before);
  CHECK(other.modelName() == "mix");

  juce::Random random(7);
  for (int round = 0; round < 300; ++round) {
    juce::MemoryBlock damaged(saved);
    damaged.setSize(static_cast<std::size_t>(random.nextInt(static_cast<int>(saved.getSize()))));
    other.setStateInformation(damaged.getData(), static_cast<int>(damaged.getSize()));
  }
  other.setStateInformation(nullptr, 0);
  CHECK(stateOf(other) == before);
}

TEST_CASE("what is typed and is no gain leaves a fader alone, in any locale") {
  // A locale whose decimal point is a comma, where the system has one.
  for (const char* name : {"C", "de_DE.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;
    StemlaneProcessor processor;
    auto& gain = *processor.parameters().strips[0].gain;
    const auto type = [&](const char* text) {
      juce::AudioProcessorParameter& typed = gain;
      typed.setValueNotifyingHost(typed.getValueForText(juce::String::fromUTF8(text)));
    };
    gain = -4.5F;
    for (const char* text : {"abc", "", "nan"}) type(text);
    CHECK(gain.get() == -4.5F);
    type("-6,5");
    CHECK(gain.get() == -6.5F);
    type("\u22120.5");
    CHECK(gain.get() == -0.5F);
    CHECK_THAT(stateOf(processor), Catch::Contains("vocals_gain=\"-0.5\""));
  }
  std::setlocale(LC_ALL, "C");
}

namespace {

juce::MemoryBlock wrapped(const std::string& text) {
  juce::MemoryOutputStream stream;
  stream.writeInt(0x21324356);
  stream.writeInt(static_cast<int>(text.size()));
  stream.write(text.data(), text.size() + 1);
  return stream.getMemoryBlock();
}

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("hostile states are refused whole") {
  const std::string wide = "<STEMLANE model=\"mix\" drums_gain=\"3\"";
  const std::vector<std::string> hostile = {
      wide + ">" + repeated("<a>", 50'000) + repeated("</a>", 50'000) + "</STEMLANE>",
      wide + ">" + repeated("<a b='", 50'000),
      "<STEMLANE drums_gain=\"3\" model=\"" + std::string(10'000'000, 'm') + "\"/>",
      "<STEMLANE drums_gain=\"3\" model=\"" + std::string(kMaxNameBytes + 1, 'm') + "\"/>",
      "<STEMLANE drums_gain=\"3\" model=\"a\xFF\xC3z\"/>",
      "<STEMLANE drums_gain=\"3\" model=\"a&#1;z\"/>",
      wide + " later=\"&#8;\"/>",
      wide + " 1later=\"x\"/>",
      wide + " later=\"x\" later=\"y\"/>",
      "<!DOCTYPE S [<!ENTITY a \"aaaa\">]>" + wide + " later=\"&a;\"/>",
      wide + "/>" + std::string("\0<b/>", 5) + "x",
  };
  StemlaneProcessor processor;
  *processor.parameters().strips[1].gain = -7.0F;
  const std::string before = stateOf(processor);
  for (const std::string& text : hostile) {
    INFO(text.substr(0, 100));
    const juce::MemoryBlock block = wrapped(text);
    processor.setStateInformation(block.getData(), static_cast<int>(block.getSize()));
    CHECK(stateOf(processor) == before);
  }
  // The longest name that goes to an engine is kept.
  const juce::MemoryBlock block = wrapped("<STEMLANE model=\"" + std::string(kMaxNameBytes, 'm') + "\"/>");
  processor.setStateInformation(block.getData(), static_cast<int>(block.getSize()));
  CHECK(processor.modelName() == std::string(kMaxNameBytes, 'm'));
}

TEST_CASE("a state does not change with the engine's weather, and scripts hear of it by a parameter") {
  Host host("nobody");
  const std::string before = stateOf(*host.processor);
  CHECK(juce::String(before).indexOf("engine") < 0);
  auto* status = host.processor->getParameters().getLast();
  CHECK_FALSE(status->isAutomatable());
  juce::String text;
  for (int piece = 0; piece < StatusParameter::kNumPieces; ++piece)
    text << status->getText(static_cast<float>(piece) / (StatusParameter::kNumPieces - 1), 128);
  CHECK(text == "failed: " + juce::String(host.processor->status().text));
  CHECK_THAT(text.toStdString(), Catch::Contains("model 'nobody' is not installed"));
  status->setValueNotifyingHost(0.7F);
  CHECK(status->getValue() == 0.0F);
  host.processor->setModel("live");
  host.play(noise(2, 1000));
  host.processor->setModel("nobody");
  CHECK(stateOf(*host.processor) == before);
}
