// SPDX-License-Identifier: MIT
// The target of libFuzzer, and of run_seeded.cpp where there is no clang.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "hostile_engine.h"

namespace {

using Clock = std::chrono::steady_clock;

// The host checks a copy: what an engine writes after the check is not heard. Returns
// the number of samples that were not finite.
int race(double seconds) {
  using namespace stemlane;
  StreamConfig config;
  config.origin = kLinked;
  config.model = fake_model(64, 128, 64);
  config.model.sample_rate = config.sample_rate = 8000.0;
  StemStream stream;
  stream.prepare(config);
  FakeSeparator(*shared_audio(stream), config.model).run();
  SharedAudio& memory = *shared_audio(stream);
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

/// At the end an engine writes while the host reads.
int fuzz_last(double seconds) {
  const int num_bad = race(std::min(1.0, seconds / 10));
  if (num_bad > 0) std::fprintf(stderr, "fuzz: %d samples that are not finite got through\n", num_bad);
  return num_bad > 0 ? 1 : 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string problem = attack({data, data + size});
  if (problem.empty()) return 0;
  std::fprintf(stderr, "fuzz: %s\n", problem.c_str());
  std::abort();
}
