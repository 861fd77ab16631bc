// SPDX-License-Identifier: MIT
// Runs the fuzz target for a while on programs that grow out of one seed: random ones, and
// kept ones with bytes changed, removed, doubled and spliced. The same seed gives the same
// programs. At the end an engine writes while the host reads.
//
//     fuzz_seeded SECONDS [SEED]
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "hostile_engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Clock = std::chrono::steady_clock;
using Program = std::vector<std::uint8_t>;

Program mutated(const std::vector<Program>& kept, std::mt19937& generator) {
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(generator);
  };
  Program program = kept[below(kept.size())];
  for (std::size_t edits = 1 + below(8); edits > 0; --edits) {
    if (program.empty()) break;
    const auto at = static_cast<std::ptrdiff_t>(below(program.size()));
    switch (below(4)) {
      case 0:
        program[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(below(256));
        break;
      case 1:
        program.erase(program.begin() + at);
        break;
      case 2:
        program.insert(program.begin() + at, static_cast<std::uint8_t>(below(256)));
        break;
      default: {
        const Program& other = kept[below(kept.size())];
        if (other.empty()) break;
        const auto cut = static_cast<std::ptrdiff_t>(below(other.size()));
        program.insert(program.begin() + at, other.begin() + cut, other.end());
        if (program.size() > 2000) program.resize(2000);
      }
    }
  }
  return program;
}

// The host checks a copy: what an engine writes after the check is not heard. Returns
// the number of samples that were not finite.
int race(double seconds) {
  using namespace stemlane;
  StreamConfig config;
  config.model = fake_model(64, 128, 64);
  config.model.sample_rate = config.sample_rate = 2000.0;
  StemStream stream;
  stream.prepare(config);
  FakeSeparator(*stream.shared_audio(), config.model).run();
  SharedAudio& memory = *stream.shared_audio();
  memory.header().stems_begin.store(0);
  memory.header().stems_end.store(std::numeric_limits<std::int64_t>::max());
  std::atomic<bool> stop{false};
  std::thread hostile([&] {
    const std::int64_t num_samples = memory.stems().num_planes() * memory.capacity();
    volatile float* samples = memory.stems().at(0, 0);
    // Few samples, so that they change between the host's two looks at them.
    while (!stop)
      for (const float value : {std::numeric_limits<float>::quiet_NaN(), 0.5F})
        for (std::int64_t i = 0; i < num_samples; i += 128) samples[i] = value;
  });
  const Audio in(2, 256, 0.25F);
  Audio out(2, 256);
  int num_bad = 0;
  for (const auto end = Clock::now() + std::chrono::duration<double>(seconds); Clock::now() < end;) {
    stream.process({in.pointers.data(), out.pointers.data(), 256, {0.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F}, {}});
    for (const auto& channel : out.samples)
      for (const float sample : channel) num_bad += !std::isfinite(sample);
  }
  stop = true;
  hostile.join();
  return num_bad;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 20.0;
  const auto seed = static_cast<unsigned>(argc > 2 ? std::atoi(argv[2]) : 1);
  std::mt19937 generator(seed);
  std::vector<Program> kept;
  long num_runs = 0;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    const bool fresh = kept.size() < 32 || generator() % 4 == 0;
    const Program program =
        fresh ? random_attack(static_cast<unsigned>(generator()), static_cast<int>(1 + generator() % 800))
              : mutated(kept, generator);
    LLVMFuzzerTestOneInput(program.data(), program.size());
    ++num_runs;
    if (kept.size() < 256)
      kept.push_back(program);
    else
      kept[generator() % kept.size()] = program;
  }
  std::printf("fuzz: %ld programs in %.0f s, seed %u\n", num_runs, seconds, seed);
  const int num_bad = race(std::min(1.0, seconds / 10));
  if (num_bad > 0) std::fprintf(stderr, "fuzz: %d samples that are not finite got through\n", num_bad);
  return num_bad > 0 ? 1 : 0;
}
