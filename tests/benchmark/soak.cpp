// SPDX-License-Identifier: MIT
// Plays noise through streams with real engines at the pace of a sound card and reports
// how often stems were late and what the audio thread spent:
//
//     soak ENGINE MODELS.INDEX MODEL SECONDS [BLOCK_SAMPLES [INSTANCES]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "stem_stream.h"

using namespace stemlane;
using Clock = std::chrono::steady_clock;

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: soak ENGINE MODELS.INDEX MODEL SECONDS [BLOCK_SAMPLES [INSTANCES]]\n", stderr);
    return 2;
  }
  const auto models = read_model_index(argv[2]);
  const ModelDescriptor* model = find_model(models, argv[3]);
  if (model == nullptr) {
    std::fprintf(stderr, "soak: no model '%s' in %s\n", argv[3], argv[2]);
    return 2;
  }
  const double seconds = std::atof(argv[4]);
  const int block_samples = argc > 5 ? std::atoi(argv[5]) : 512;
  const int num_instances = argc > 6 ? std::atoi(argv[6]) : 1;

  StreamConfig config;
  config.model = *model;
  config.engine_executable = argv[1];
  std::vector<std::unique_ptr<StemStream>> streams;
  for (int i = 0; i < num_instances; ++i) {
    streams.push_back(std::make_unique<StemStream>());
    streams.back()->prepare(config);
  }

  std::mt19937 generator(1);
  std::uniform_real_distribution<float> amplitude(-0.3F, 0.3F);
  std::vector<std::vector<float>> audio(4, std::vector<float>(static_cast<std::size_t>(block_samples)));
  const float* in[2] = {audio[0].data(), audio[1].data()};
  float* out[2] = {audio[2].data(), audio[3].data()};
  StreamBlock block;
  block.in = in;
  block.out = out;
  block.num_samples = block_samples;
  block.gains[0] = 0.0F;

  const auto period = std::chrono::duration<double>(block_samples / config.sample_rate);
  const auto play = [&](int num_blocks, std::vector<double>* spent) {
    auto next = Clock::now();
    for (int i = 0; i < num_blocks; ++i) {
      for (int c = 0; c < 2; ++c)
        for (float& sample : audio[static_cast<std::size_t>(c)]) sample = amplitude(generator);
      for (const auto& stream : streams) {
        const auto begin = Clock::now();
        stream->process(block);
        if (spent != nullptr) spent->push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
      }
      next += std::chrono::duration_cast<Clock::duration>(period);
      std::this_thread::sleep_until(next);
    }
  };
  // Engines start and settle before anything is counted.
  play(static_cast<int>(5.0 / period.count()), nullptr);
  std::vector<std::int64_t> late_before;
  for (const auto& stream : streams) late_before.push_back(stream->status().num_late);
  std::vector<double> spent;
  play(static_cast<int>(seconds / period.count()), &spent);

  std::sort(spent.begin(), spent.end());
  const auto quantile = [&](double q) { return spent[static_cast<std::size_t>(q * static_cast<double>(spent.size() - 1))]; };
  std::printf("%s, %d instance(s), blocks of %d: process p50 %.1f us, p99 %.1f us, max %.1f us\n", argv[3],
              num_instances, block_samples, quantile(0.5), quantile(0.99), quantile(1.0));
  std::int64_t num_late = 0;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const StreamStatus status = streams[i]->status();
    num_late += status.num_late - late_before[i];
    if (status.state == EngineState::failed) std::printf("instance %zu failed: %s\n", i, status.text.c_str());
  }
  std::printf("late: %lld times in %.0f s\n", static_cast<long long>(num_late), seconds);
  return 0;
}
