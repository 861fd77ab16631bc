// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/latency.h"
#include "host/model_index.h"

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

TEST_CASE("an index is read line by line; what is not understood is left out") {
  const std::string path =
      std::filesystem::temp_directory_path() / ("models.index." + std::to_string(getpid()));
  std::ofstream(path) << "# comment\n"
                         "mix\tStemlane mix\t44100\t2048\t3584\t4096\tvocals,drums,bass\tother\n"
                         "two\tTwo stems\t44100\t512\t0\t0\tvocals\taccompaniment\textra\n"
                         "broken\tno numbers\tx\t2048\t3584\t4096\tvocals\tother\n"
                         "negative\tN\t44100\t-1\t0\t0\tvocals\tother\n"
                         "unknown\tU\t44100\t1\t0\t0\tkazoo\tother\n"
                         "twice\tT\t44100\t1\t0\t0\tvocals,vocals\tother\n"
                         "short\n"
                         "mix\tsecond of the name\t48000\t1\t1\t1\tvocals\tother\r\n";
  const auto models = read_model_indexes({"/nowhere/models.index", path});
  std::remove(path.c_str());
  REQUIRE(models.size() == 2);
  CHECK(models[0] ==
        ModelDescriptor{"mix", "Stemlane mix", 44100.0, 2048, 3584, 4096, {0, 1, 2}, kOtherStem});
  CHECK(models[1].residual == kOtherStem);
  CHECK(models[1].has_stem(kOtherStem));
  CHECK_FALSE(models[1].has_stem(1));
  CHECK(find_model(models, "two") == &models[1]);
  CHECK(find_model(models, "three") == nullptr);
}
