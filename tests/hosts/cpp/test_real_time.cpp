// SPDX-License-Identifier: GPL-3.0-or-later
#include <catch2/catch.hpp>

#include <array>
#include <cstdlib>
#include <cstring>

#include "processor_fixture.h"
#include "realtime_guard.h"

using namespace stemlane;
using namespace std::chrono_literals;

TEST_CASE("in real time the stems arrive within the latency") {
  Host host("live", layout(kStereo, kNone), false);
  REQUIRE(wait_for([&] { return is_ready(*host.processor); }));
  *host.processor->parameters().strips[0].mute = true;
  const Audio in = noise(2, 44100);
  // On a machine that is busy with other things the engine may be late; in slow motion it has more time.
  bool arrived = false;
  for (int slower = 1; slower <= 16 && !arrived; slower *= 2) {
    host.processor->reset();
    auto next = std::chrono::steady_clock::now();
    const Buffer out = host.play(in, 512, [&] { std::this_thread::sleep_until(next += slower * 11610us); });
    // It may be woken late once at the start; from then on the vocals are gone.
    arrived = is_delayed(out, 0, in, 0, host.latency(), 1.0F - kShares[0], 2e-7F, 22050);
  }
  CHECK(arrived);
}

TEST_CASE("in real time nothing waits for an engine that hangs") {
  Host host("hangs", layout(kStereo, kStereo), false);
  *host.processor->parameters().strips[0].mute = true;
  const Audio in = noise(2, 44100 * 2);
  const Buffer out = host.play(in);
  CHECK(is_delayed(out, 0, in, 0, host.latency(), 1.0F, 0.0F));
  CHECK(is_delayed(out, 12, in, 0, host.latency(), 1.0F, 0.0F));  // the residual carries the mixture

  Buffer buffer(14, 512);
  buffer.clear();
  juce::MidiBuffer midi;
  RealtimeGuard guard;
  host.processor->processBlock(buffer, midi);
  const long num_calls = guard.finish();
  INFO(guard.first());
  CHECK(num_calls == 0);  // no call that waits
}

TEST_CASE("a block in real time makes no call that allocates, locks, waits or enters the system") {
  Host host("live", layout(kStereo, kStereo), false);
  REQUIRE(wait_for([&] { return is_ready(*host.processor); }));
  host.processor->setMeters(true);
  Buffer buffer(14, 700);
  buffer.clear();
  juce::MidiBuffer midi;
  host.processor->processBlock(buffer, midi);
  long count = 0;
  std::string first;
  for (int i = 0; i < 200; ++i) {
    *host.processor->parameters().strips[0].gain = static_cast<float>(i % 10);
    RealtimeGuard guard;
    host.processor->processBlock(buffer, midi);
    if (i == 100) host.processor->reset();
    if (guard.finish() > 0 && count++ == 0) first = guard.first();
  }
  INFO(first);
  CHECK(count == 0);
}

// The guard replaces some of these functions and not others; under a sanitizer, none.
TEST_CASE("whatever gives memory, free takes it") {
  const auto give_back = [](void* memory) {
    CHECK(memory != nullptr);
    std::free(memory);
  };
  void* aligned = nullptr;
  CHECK(posix_memalign(&aligned, 64, 100) == 0);
  give_back(aligned);
  give_back(std::aligned_alloc(64, 128));
  give_back(std::calloc(3, 5));
  give_back(std::realloc(std::malloc(10), 100));
  give_back(strdup("copied"));
  give_back(realpath("/", nullptr));
  delete new std::array<char, 100>;
}

TEST_CASE("a render begins without the past that was played before it") {
  Host host("live", layout(kStereo, kNone), false);
  *host.processor->parameters().strips[0].mute = true;
  const Audio in = noise(2, 20000);
  host.play(in);
  host.processor->setNonRealtime(true);
  const Buffer whole = host.play(in);
  CHECK(is_delayed(whole, 0, in, 0, host.latency(), 1.0F - kShares[0], 2e-7F));

  // It is told so before every block, and goes on.
  host.processor->setNonRealtime(true);
  const Buffer next = host.play(in);
  CHECK(next.getSample(0, 0) ==
        Approx((1.0F - kShares[0]) *
               in.samples[0][in.samples[0].size() - static_cast<std::size_t>(host.latency())]));
}

TEST_CASE("bypass and the host's bypass are the delayed mixture") {
  Host host("live", layout(kStereo, kNone));
  for (const auto& strip : host.processor->parameters().strips) *strip.gain = -20.0F;
  const Audio in = noise(2, 10000);
  *host.processor->parameters().bypass = true;
  CHECK(is_delayed(host.play(in), 0, in, 0, host.latency(), 1.0F, 0.0F));

  *host.processor->parameters().bypass = false;
  host.processor->reset();
  Buffer buffer(2, in.num_samples());
  for (int channel = 0; channel < 2; ++channel)
    buffer.copyFrom(channel, 0, in.samples[static_cast<std::size_t>(channel)].data(), in.num_samples());
  juce::MidiBuffer midi;
  host.processor->processBlockBypassed(buffer, midi);
  CHECK(is_delayed(buffer, 0, in, 0, host.latency(), 1.0F, 0.0F));
}
