// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <vector>

#include "core/gain_ramp.h"

using namespace stemlane;

namespace {

StemGains vocals(float gain) {
  StemGains gains = kUnityGains;
  gains[0] = gain;
  return gains;
}

const std::vector<int> kAllStems = {0, 1, 2, 3, 4, 5};

std::vector<float> curve(GainTimeline& timeline, std::int64_t begin, int num_samples) {
  std::vector<float> values;
  for (int i = 0; i < num_samples; ++i) {
    timeline.advance_to(begin + i);
    values.push_back(timeline.gain(0, begin + i));
  }
  return values;
}

}  // namespace

TEST_CASE("a ramp is a straight line from the old gain to the new one and ends on it exactly") {
  GainTimeline timeline;
  timeline.prepare(1000, kAllStems);
  timeline.reset(vocals(1.0F));
  timeline.set(100, 512, vocals(0.0F));
  const auto values = curve(timeline, 0, 1000);
  for (int i = 0; i < 1000; ++i) {
    const float expected = i < 100 ? 1.0F : i < 612 ? 1.0F - static_cast<float>(i - 100) / 512.0F : 0.0F;
    CHECK(values[static_cast<std::size_t>(i)] == Approx(expected).margin(1e-6));
  }
  CHECK(values[612] == 0.0F);  // a mute reaches zero
  CHECK(values[99] == 1.0F);
}

TEST_CASE("short blocks ramp over at least kMinRampSamples, without a jump") {
  GainTimeline timeline;
  timeline.prepare(1000, kAllStems);
  timeline.reset(vocals(0.0F));
  for (int i = 0; i < 64; ++i) timeline.set(i, 1, vocals(static_cast<float>(i + 1) / 64.0F));
  const auto values = curve(timeline, 0, 1024);
  for (std::size_t i = 1; i < values.size(); ++i)
    CHECK(std::abs(values[i] - values[i - 1]) <= 1.0F / static_cast<float>(kMinRampSamples) + 1e-6F);
  CHECK(values.back() == 1.0F);
}

TEST_CASE("equal gains are recognised only where they are equal throughout") {
  const std::vector<int> stems = {0, 1, 2};
  GainTimeline timeline;
  timeline.prepare(1000, kAllStems);
  timeline.reset(kUnityGains);
  CHECK(timeline.all_equal(stems, kOtherStem, 0, 1000));
  timeline.set(500, 256, vocals(0.5F));
  CHECK(timeline.all_equal(stems, kOtherStem, 0, 500));
  CHECK_FALSE(timeline.all_equal(stems, kOtherStem, 0, 501));
  timeline.advance_to(600);
  CHECK_FALSE(timeline.all_equal(stems, kOtherStem, 600, 601));
  timeline.set(2000, 256, kUnityGains);
  timeline.advance_to(2100);
  CHECK_FALSE(timeline.all_equal(stems, kOtherStem, 2100, 2101));  // on the way back
  CHECK(timeline.all_equal(stems, kOtherStem, 2256, 3000));
  // A stem that the model lacks does not count.
  StemGains gains = kUnityGains;
  gains[3] = 0.0F;
  timeline.set(4000, 256, gains);
  timeline.advance_to(4300);
  CHECK(timeline.all_equal(stems, kOtherStem, 4300, 5000));
}

TEST_CASE("of two changes at one position the later one counts") {
  GainTimeline timeline;
  timeline.prepare(1, kAllStems);
  timeline.reset(vocals(0.0F));
  for (int i = 0; i < 100; ++i) timeline.set(7, 1, vocals(static_cast<float>(i)));
  CHECK(curve(timeline, 0, 1000).back() == 99.0F);
}

TEST_CASE("a piece's gains are the gains of its positions, bit for bit") {
  GainTimeline timeline;
  timeline.prepare(1000, {0, 5});
  StemGains gains = vocals(0.3F);
  timeline.reset(gains);
  gains[5] = 1.7F;
  timeline.set(100, 300, gains);
  timeline.advance_to(100);
  for (const std::int64_t position : {100, 101, 250, 399, 400, 5000})
    for (const int stem : {0, 5}) {
      std::vector<float> piece(200, -1.0F);
      timeline.fill(stem, position, piece.data(), 200);
      for (int i = 0; i < 200; ++i)
        CHECK(piece[static_cast<std::size_t>(i)] == timeline.gain(stem, position + i));
    }
}

TEST_CASE("a change a sample waits in a queue that goes round, days into the music") {
  constexpr std::int64_t kWaiting = 50;
  constexpr std::int64_t kStart =
      (std::int64_t{1} << 33) - 120;  // the low half of a position overflows on the way
  GainTimeline timeline;
  timeline.prepare(kWaiting, {0, 5});
  timeline.reset(vocals(0.0F));
  std::int64_t heard = kStart;
  for (std::int64_t i = 0; i < 400; ++i) {
    timeline.set(kStart + i, 1, vocals(static_cast<float>(i + 1)));
    if (i < kWaiting) continue;
    timeline.advance_to(heard);
    CHECK(timeline.until_change(heard, 10) == 1);  // the next change starts one sample later
    ++heard;
  }
  timeline.advance_to(kStart + 399);
  CHECK(timeline.gain(0, kStart + 399 + kMinRampSamples) == 400.0F);
  CHECK(timeline.gain(kOtherStem, kStart + 399) == 1.0F);
}
