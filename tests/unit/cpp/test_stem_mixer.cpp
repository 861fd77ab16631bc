// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "stream_fixture.h"

using namespace stemlane;

namespace {

// out = sum over all stems, the residual included, of gain * stem: what a mixing desk does.
float desk(float mixture, const std::array<float, 3>& stems, const StemGains& gains) {
  float sum = 0.0F;
  float rest = mixture;
  for (std::size_t i = 0; i < 3; ++i) {
    sum += gains[i] * stems[i];
    rest -= stems[i];
  }
  return sum + gains[kOtherStem] * rest;
}

}  // namespace

TEST_CASE("the mixing equation equals a desk with one fader per stem") {
  const StemGains gains = {0.5F, 2.0F, 0.0F, 1.0F, 1.0F, 0.25F};
  GainTimeline timeline;
  timeline.reset(gains);
  const std::array<int, 3> numbers = {0, 1, 2};
  Audio out = noise(2, kMixSamples, 1);
  const Audio mixture = out;
  std::array<Audio, 3> stems = {noise(2, kMixSamples, 2), noise(2, kMixSamples, 3), noise(2, kMixSamples, 4)};
  std::array<Audio, 6> outputs = {Audio(2, 256), Audio(2, 256), Audio(2, 256),
                                  Audio(2, 256), Audio(2, 256), Audio(2, 256)};

  MixPiece piece;
  piece.num_samples = kMixSamples;
  piece.num_channels = 2;
  piece.num_stems = 3;
  piece.stems = numbers.data();
  piece.present = true;
  for (std::size_t c = 0; c < 2; ++c) {
    piece.out[c] = out.samples[c].data();
    for (std::size_t s = 0; s < 3; ++s) piece.stem[s][c] = stems[s].samples[c].data();
    for (const std::size_t s : {0, 1, 2, 5}) piece.stem_out[s][c] = outputs[s].samples[c].data();
  }
  StemMixer mixer;
  mixer.mix(piece, timeline);
  for (std::size_t c = 0; c < 2; ++c)
    for (std::size_t i = 0; i < kMixSamples; ++i) {
      const float expected =
          desk(mixture.samples[c][i],
               {stems[0].samples[c][i], stems[1].samples[c][i], stems[2].samples[c][i]}, gains);
      // Six float32 operations on values below 4.
      CHECK(out.samples[c][i] == Approx(expected).margin(2e-6));
      float sum = 0.0F;
      for (const std::size_t s : {0, 1, 2, 5}) sum += outputs[s].samples[c][i];
      CHECK(sum == Approx(out.samples[c][i]).margin(2e-6));  // the outputs add up to the main bus
      CHECK(outputs[1].samples[c][i] == 2.0F * stems[1].samples[c][i]);
    }
}
