// SPDX-License-Identifier: GPL-3.0-or-later
#include <catch2/catch.hpp>

#include "processor/StemParameters.h"

using namespace stemlane;

namespace {
constexpr StemSet kFour = {true, true, true, false, false, true};
}

TEST_CASE("0 dB is exactly one and the bottom exactly nothing") {
  CHECK(faderGain(0.0F) == 1.0F);
  CHECK(faderGain(-60.0F) == 0.0F);
  CHECK(faderGain(-59.9F) == Approx(std::pow(10.0, -59.9 / 20.0)));
  CHECK(faderGain(12.0F) == Approx(3.981072));
  CHECK(effectiveGains({}, kFour) == kUnityGains);
}

TEST_CASE("a mute wins over a solo, and the output gain counts for all") {
  FaderPositions positions;
  positions.strips[0].gainDb = 6.0F;
  positions.strips[1].solo = true;
  positions.strips[2].solo = positions.strips[2].mute = true;
  positions.outputDb = -20.0F;
  const StemGains gains = effectiveGains(positions, kFour);
  CHECK(gains[0] == 0.0F);
  CHECK(gains[1] == Approx(0.1F));
  CHECK(gains[2] == 0.0F);
  CHECK(gains[5] == 0.0F);
}

TEST_CASE("the solo of a stem that the model lacks silences nothing") {
  FaderPositions positions;
  positions.strips[3].solo = true;
  positions.strips[4].mute = true;
  CHECK(effectiveGains(positions, kFour) == kUnityGains);
}

TEST_CASE("bypass is all gains at one") {
  FaderPositions positions;
  positions.strips[0].mute = positions.strips[1].solo = true;
  positions.outputDb = -60.0F;
  positions.bypass = true;
  CHECK(effectiveGains(positions, kFour) == kUnityGains);
}

TEST_CASE("fader texts and values") {
  CHECK(faderText(-60.0F) == "-inf");
  CHECK(faderText(-3.0F) == "-3.0");
  for (const char* silent :
       {"-inf dB", "-inf", "-\u221e", "\u2212\u221e dB", "mute", "Off", " MUTE ", "-99", "-1e999"})
    CHECK(faderGain(faderValue(juce::String::fromUTF8(silent), 1.0F)) == 0.0F);
  for (const char* six : {"-6", "\u22126", "-6.0 dB", "-6,0", "-6,00dB", " -6 "})
    CHECK(faderValue(juce::String::fromUTF8(six), 1.0F) == -6.0F);
  CHECK(faderValue("0,5", 1.0F) == 0.5F);
  CHECK(faderValue("-6,5", 1.0F) == -6.5F);
  CHECK(faderValue(" +3.5 dB", 1.0F) == 3.5F);
  CHECK(faderValue("99", 1.0F) == 12.0F);
  CHECK(faderValue("1e999", 1.0F) == 12.0F);
  for (const char* nonsense :
       {"", " ", "dB", "abc", "nan", "inf", "1,234.5", "--6", "6 7", "e", "-", "0x10", "offer", "-infantry"})
    CHECK(faderValue(nonsense, 1.5F) == 1.5F);
  const auto range = faderRange();
  // A thousandth above the bottom, which pedalboard takes for -60 dB.
  const float near = range.snapToLegalValue(range.convertFrom0to1(0.001F));
  CHECK(faderText(near) == "-60.0");
  CHECK(faderGain(near) == 0.0F);
  CHECK(range.snapToLegalValue(faderValue("-60.0", 0.0F)) == near);
  for (int tenths = -600; tenths <= 120; ++tenths) {
    const float value = static_cast<float>(tenths) / 10.0F;
    CHECK(range.snapToLegalValue(range.convertFrom0to1(range.convertTo0to1(value))) == value);
  }
}
