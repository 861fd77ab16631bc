// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/frame_length.h"
#include "core/latency.h"
#include "host/model_index.h"
#include "platform/text_path.h"
#include "processes.h"

using namespace stemlane;

TEST_CASE("the latency is the sum of its terms, at the host's rate") {
  const ModelDescriptor model{"m", "M", 44100.0, 2048, 3584, 4096, {0}, kOtherStem};
  const LatencySum same = latency_sum(model, 44100.0);
  CHECK(same.delay == 3584);
  CHECK(same.stride == 2048);
  CHECK(same.resampling == 0);
  CHECK(same.allowance == 4096);
  CHECK(same.fade_reserve == kFadeReserveSamples);
  CHECK(same.total() == 3584 + 2048 + 4096 + kFadeReserveSamples);

  const LatencySum other = latency_sum(model, 48000.0);
  CHECK(other.delay + other.stride == 6131);           // ceil(6130.07)
  CHECK(other.allowance == 4459);                      // ceil(4458.23)
  CHECK(other.resampling == 2 * 1045 + kFeedSamples);  // ceil(960 / 44100 * 48000 = 1044.9)

  // Ratios at which soxr needs more stages, in samples of the lower rate.
  CHECK(resampler_lag_seconds(96000.0, 44100.0) == Approx(960.0 / 44100.0));
  CHECK(resampler_lag_seconds(44100.0, 192000.0) == Approx(1440.0 / 44100.0));
  CHECK(resampler_lag_seconds(44100.0, 178000.0) == Approx(1760.0 / 44100.0));
  CHECK(resampler_lag_seconds(65000.0, 44100.0) == Approx(1320.0 / 44100.0));
}

TEST_CASE("a model that follows the rate needs no resampler: its frames last as long at any rate") {
  const ModelDescriptor live{"live", "L", 44100.0, 1024, 512, 1024, {0, 1, 2}, kOtherStem, 4096, 1024};
  const ModelDescriptor mix{"mix", "M", 44100.0, 1024, 5120, 4096, {0, 1, 2}, kOtherStem, 4096, 1024};
  // Rate, transform, latency of live = 2.5 hops + 64 and of mix = 10 hops + 64.
  constexpr std::array<std::array<int, 4>, 9> expected{{{8'000, 744, 529, 1'924},
                                                        {22'050, 2'048, 1'344, 5'184},
                                                        {32'000, 2'976, 1'924, 7'504},
                                                        {44'100, 4'096, 2'624, 10'304},
                                                        {48'000, 4'464, 2'854, 11'224},
                                                        {88'200, 8'192, 5'184, 20'544},
                                                        {96'000, 8'928, 5'644, 22'384},
                                                        {176'400, 16'384, 10'304, 41'024},
                                                        {192'000, 17'856, 11'224, 44'704}}};
  for (const auto& [rate, transform, latency_of_live, latency_of_mix] : expected) {
    INFO(rate << " Hz");
    CHECK(frame_samples(4096, 44100.0, rate) == transform);
    CHECK(latency_sum(live, rate).total() == latency_of_live);
    CHECK(latency_sum(mix, rate).total() == latency_of_mix);
    CHECK(latency_sum(mix, rate).resampling == 0);
    CHECK(latency_sum(at_rate(mix, rate), rate).total() == latency_of_mix);
  }
}

TEST_CASE("an index is read line by line; what is not understood is left out") {
  const std::string path =
      text_of(std::filesystem::temp_directory_path() / ("models.index." + std::to_string(process_id())));
  std::ofstream(path) << "# comment\n"
                         "mix\tStemlane mix\t44100\t2048\t3584\t4096\tvocals,drums,bass\tother\n"
                         "two\tTwo stems\t44100\t512\t0\t0\tvocals\taccompaniment\textra\n"
                         "follows\tF\t44100\t1024\t512\t1024\tvocals\tother\t4096\t1024\t1\tmore\n"
                         "no answer\tN\t44100\t1024\t512\t1024\tvocals\tother\t4096\t1024\tmaybe\n"
                         "no hop\tN\t44100\t1024\t512\t1024\tvocals\tother\t4096\t0\n"
                         "long hop\tN\t44100\t1024\t512\t1024\tvocals\tother\t1024\t4096\n"
                         "broken\tno numbers\tx\t2048\t3584\t4096\tvocals\tother\n"
                         "negative\tN\t44100\t-1\t0\t0\tvocals\tother\n"
                         "unknown\tU\t44100\t1\t0\t0\tkazoo\tother\n"
                         "twice\tT\t44100\t1\t0\t0\tvocals,vocals\tother\n"
                         "short\n"
                         "mix\tsecond of the name\t48000\t1\t1\t1\tvocals\tother\r\n";
  const auto models = read_model_indexes({"/nowhere/models.index", path});
  std::remove(path.c_str());
  REQUIRE(models.size() == 3);
  CHECK(models[0] ==
        ModelDescriptor{"mix", "Stemlane mix", 44100.0, 2048, 3584, 4096, {0, 1, 2}, kOtherStem});
  CHECK(models[1].residual == kOtherStem);
  CHECK(models[1].has_stem(kOtherStem));
  CHECK_FALSE(models[1].has_stem(1));
  CHECK(find_model(models, "two") == &models[1]);
  CHECK(models[1].fft_samples == 0);
  CHECK(models[2].fft_samples == 4096);
  CHECK(models[2].hop_samples == 1024);
  CHECK(models[2].takes_focus);
  CHECK_FALSE(models[1].takes_focus);
  CHECK(find_model(models, "three") == nullptr);
}
