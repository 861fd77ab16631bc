// SPDX-License-Identifier: GPL-3.0-or-later
#include <catch2/catch.hpp>

#include "processor_fixture.h"

using namespace stemlane;

namespace {
// One rounding each of a product and a difference of float32 near full scale.
constexpr float kRounding = 2e-7F;
}  // namespace

TEST_CASE("mono and stereo are possible, the stems stereo") {
  const StemlaneProcessor processor;
  CHECK(processor.checkBusesLayoutSupported(layout(kStereo, kNone)));
  CHECK(processor.checkBusesLayoutSupported(layout(kStereo, kStereo)));
  CHECK(processor.checkBusesLayoutSupported(layout(kMono, kNone)));
  CHECK_FALSE(processor.checkBusesLayoutSupported(layout(kMono, kMono)));
  CHECK(processor.checkBusesLayoutSupported(layout(kMono, kStereo)));
  CHECK_FALSE(processor.checkBusesLayoutSupported(layout(kStereo, kMono)));
  CHECK_FALSE(processor.checkBusesLayoutSupported(layout(kNone, kNone)));
  CHECK_FALSE(processor.checkBusesLayoutSupported(layout(juce::AudioChannelSet::create5point1(), kNone)));
  Layout wider = layout(kStereo, kNone);
  wider.inputBuses.getReference(0) = kMono;
  CHECK_FALSE(processor.checkBusesLayoutSupported(wider));
  CHECK(processor.getTotalNumOutputChannels() == 2);
}

TEST_CASE("stem buses carry the stems after their faders and add up to the mix") {
  Host host("live", layout(kStereo, kStereo));
  REQUIRE(host.processor->getTotalNumOutputChannels() == 14);
  *host.processor->parameters().strips[0].gain = 6.0F;
  *host.processor->parameters().strips[1].mute = true;
  const Audio in = noise(2, 20000);
  const Buffer out = host.play(in);
  const float vocals = std::pow(10.0F, 6.0F / 20.0F);
  const float factors[] = {vocals * kShares[0], 0.0F, kShares[2], 0.0F, 0.0F, kRest};
  for (int channel = 0; channel < 2; ++channel) {
    CHECK(is_delayed(out, channel, in, channel, host.latency(), factors[0] + factors[2] + factors[5],
                     4 * kRounding));
    for (int stem = 0; stem < kNumStems; ++stem)
      CHECK(
          is_delayed(out, 2 + 2 * stem + channel, in, channel, host.latency(), factors[stem], 2 * kRounding));
  }
}

TEST_CASE("the main bus is the same whatever the stem buses do") {
  const Audio in = noise(2, 20000);
  Host with("live", layout(kStereo, kStereo));
  Host without;
  for (Host* host : {&with, &without}) *host->processor->parameters().strips[0].mute = true;
  const Buffer one = with.play(in);
  const Buffer other = without.play(in);
  for (int channel = 0; channel < 2; ++channel)
    for (int n = 0; n < one.getNumSamples(); ++n)
      REQUIRE(one.getSample(channel, n) == other.getSample(channel, n));
}

TEST_CASE("some stem buses may be off") {
  Layout buses = layout(kStereo, kNone);
  buses.outputBuses.getReference(3) = kStereo;  // bass
  Host host("live", buses);
  REQUIRE(host.processor->getTotalNumOutputChannels() == 4);
  const Audio in = noise(2, 10000);
  const Buffer out = host.play(in);
  CHECK(is_delayed(out, 0, in, 0, host.latency(), 1.0F, 0.0F));
  CHECK(is_delayed(out, 2, in, 0, host.latency(), kShares[2], 0.0F));
  CHECK(is_delayed(out, 3, in, 1, host.latency(), kShares[2], 0.0F));
}

TEST_CASE("the stems of a mono mix sound on both sides of their buses") {
  Host host("mix", layout(kMono, kStereo));
  const Audio in = noise(1, 20000);
  const Buffer out = host.play(in);
  CHECK(is_delayed(out, 0, in, 0, host.latency(), 1.0F, 0.0F));
  for (int channel = 0; channel < 2; ++channel) {
    CHECK(is_delayed(out, 1 + channel, in, 0, host.latency(), kShares[0], 0.0F));
    CHECK(is_delayed(out, 7 + channel, in, 0, host.latency(), 0.0F, 0.0F));  // guitar
  }
}

TEST_CASE("a mono track with stem buses becomes a stereo track without them") {
  StemlaneProcessor processor;
  REQUIRE(processor.setBusesLayout(layout(kMono, kStereo)));
  CHECK(processor.setBusesLayout(layout(kStereo, kNone)));
  CHECK(processor.setBusesLayout(layout(kMono, kNone)));
}

TEST_CASE("before it is prepared, the mixture passes and the stem buses are silent") {
  StemlaneProcessor processor;
  REQUIRE(processor.setBusesLayout(layout(kStereo, kStereo)));
  Buffer buffer(14, 100);
  for (int channel = 0; channel < 14; ++channel)
    for (int n = 0; n < 100; ++n) buffer.setSample(channel, n, 0.5F);
  juce::MidiBuffer midi;
  processor.processBlock(buffer, midi);
  CHECK(buffer.getMagnitude(0, 0, 100) == 0.5F);
  for (int channel = 2; channel < 14; ++channel) CHECK(buffer.getMagnitude(channel, 0, 100) == 0.0F);
}
