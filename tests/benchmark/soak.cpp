// SPDX-License-Identifier: MIT
// Plays through streams with real engines at the pace of a sound card and reports how often
// stems were late, what the audio thread and the engines' steps took, processor time and
// memory:
//
//     soak ENGINE MODELS.INDEX MODEL SECONDS [BLOCK_SAMPLES [INSTANCES [noise|equal|silence]]]
//
// `noise` is noise without vocals, `equal` noise with all gains equal, `silence` is silence
// without vocals: in the last two nobody hears stems, or there are none.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "host/model_index.h"
#include "stream/engine_source.h"
#include "stream/stem_stream.h"

using namespace stemlane;
using Clock = std::chrono::steady_clock;

namespace {

struct Usage {
  double engine_seconds = 0.0;  ///< processor time of all engines
  double engine_mib = 0.0;      ///< their resident memory
  double host_mib = 0.0;
};

double resident_mib(const std::filesystem::path& process) {
  std::ifstream file(process / "statm");
  double all_pages = 0.0;
  double resident_pages = 0.0;
  file >> all_pages >> resident_pages;
  return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1048576.0;
}

Usage usage() {
  Usage total;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream children(task.path() / "children");
    for (std::string pid; children >> pid;) {
      const auto process = std::filesystem::path("/proc") / pid;
      std::ifstream stat(process / "stat");
      std::string field;
      double ticks = 0.0;
      for (int i = 1; i <= 15 && stat >> field; ++i)
        if (i >= 14) ticks += std::atof(field.c_str());  // utime and stime
      total.engine_seconds += ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
      total.engine_mib += resident_mib(process);
    }
  }
  total.host_mib = resident_mib("/proc/self");
  return total;
}

struct Quantiles {
  explicit Quantiles(std::vector<double> values) : sorted(std::move(values)) {
    std::sort(sorted.begin(), sorted.end());
  }
  double at(double q) const {
    return sorted.empty() ? 0.0
                          : sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
  }
  std::vector<double> sorted;
};

/// Collects how much of their time the engines' steps took, by the last few that they publish.
struct StepTimes {
  void collect(const std::vector<std::unique_ptr<StemStream>>& streams) {
    seen.resize(streams.size(), 0);
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const SharedHeader& header = dynamic_cast<LinkedSource&>(streams[i]->source()).memory().header();
      const std::uint64_t end = header.num_steps.load(std::memory_order_acquire);
      if (seen[i] == 0 || end - seen[i] > kNumStepTimes) seen[i] = end;
      for (; seen[i] < end; ++seen[i]) {
        const StepTime step = step_time(header, seen[i], streams[i]->config().sample_rate);
        played.push_back(1000.0 * step.played);
        deadlines.push_back(1000.0 * step.deadline);
        shares.push_back(100.0 * step.spent / step.deadline);
      }
    }
  }
  std::vector<std::uint64_t> seen;
  std::vector<double> played;     ///< ms
  std::vector<double> deadlines;  ///< ms
  std::vector<double> shares;     ///< of these, in percent
};

}  // namespace

int main(int argc, char** argv) {
  const std::string sound = argc > 7 ? argv[7] : "noise";
  if (argc < 5 || (sound != "noise" && sound != "equal" && sound != "silence")) {
    std::fputs(
        "usage: soak ENGINE MODELS.INDEX MODEL SECONDS [BLOCK_SAMPLES [INSTANCES [noise|equal|silence]]]\n",
        stderr);
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
  config.announced_block_samples = block_samples;
  config.origin = std::make_shared<EngineOrigin>(EngineSettings{argv[1]});
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
  if (sound != "equal") block.gains[0] = 0.0F;

  StepTimes steps;
  const auto period = std::chrono::duration<double>(block_samples / config.sample_rate);
  const auto play = [&](double play_seconds, std::vector<double>* spent) {
    const int num_blocks = static_cast<int>(play_seconds / period.count());
    auto next = Clock::now();
    for (int i = 0; i < num_blocks; ++i) {
      if (sound != "silence")
        for (int c = 0; c < 2; ++c)
          for (float& sample : audio[static_cast<std::size_t>(c)]) sample = amplitude(generator);
      for (const auto& stream : streams) {
        const auto begin = Clock::now();
        stream->process(block);
        if (spent != nullptr)
          spent->push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
      }
      if (spent != nullptr && i % 32 == 0) steps.collect(streams);
      next += std::chrono::duration_cast<Clock::duration>(period);
      std::this_thread::sleep_until(next);
    }
  };
  // Engines start and settle, and fall asleep where they may, before anything is counted.
  play(sound == "noise" ? 5.0 : 10.0, nullptr);
  std::vector<std::int64_t> late_before;
  for (const auto& stream : streams) late_before.push_back(stream->status().num_late);
  const Usage before = usage();
  std::vector<double> spent;
  play(seconds, &spent);
  const Usage after = usage();

  const Quantiles process(std::move(spent));
  std::printf("%s, %d instance(s), %s, blocks of %d, %.0f s\n", argv[3], num_instances, sound.c_str(),
              block_samples, seconds);
  std::printf("process: p50 %.1f us, p99 %.1f us, max %.1f us\n", process.at(0.5), process.at(0.99),
              process.at(1.0));
  const Quantiles played(std::move(steps.played));
  const Quantiles deadline(std::move(steps.deadlines));
  const Quantiles share(std::move(steps.shares));
  std::printf(
      "steps: %zu, each for %.1f ms; of a deadline of %.1f ms: p50 %.1f %%, p99 %.1f %%, max %.1f %%\n",
      share.sorted.size(), played.at(0.5), deadline.at(0.5), share.at(0.5), share.at(0.99), share.at(1.0));
  std::printf("engines: %.2f %% of a core each; memory %.1f to %.1f MiB in all, host %.1f to %.1f MiB\n",
              100.0 * (after.engine_seconds - before.engine_seconds) / seconds / num_instances,
              before.engine_mib, after.engine_mib, before.host_mib, after.host_mib);
  std::int64_t num_late = 0;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const StreamStatus status = streams[i]->status();
    num_late += status.num_late - late_before[i];
    if (status.state == EngineState::failed) std::printf("instance %zu failed: %s\n", i, status.text.c_str());
  }
  std::printf("late: %lld times\n", static_cast<long long>(num_late));
  return 0;
}
