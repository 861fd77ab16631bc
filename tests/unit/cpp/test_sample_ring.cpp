// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

#include "core/sample_ring.h"

using stemlane::SampleRing;

TEST_CASE("a ring returns what was written, across its end and at negative positions") {
  std::vector<float> memory(2 * 16);
  const SampleRing ring(memory.data(), 2, 16);
  for (const std::int64_t position : {0L, 5L, 13L, 16L, 1'000'003L, -7L}) {
    std::vector<float> written(11);
    for (std::size_t i = 0; i < written.size(); ++i)
      written[i] = static_cast<float>(position) + static_cast<float>(i);
    ring.write(1, position, written.data(), 11);
    std::vector<float> read(11);
    ring.read(1, position, read.data(), 11);
    CHECK(read == written);
    CHECK(*ring.at(1, position + 10) == written[10]);
  }
  for (int i = 0; i < 16; ++i) CHECK(memory[static_cast<std::size_t>(i)] == 0.0F);  // plane 0 untouched
}

TEST_CASE("a ring tells how far its samples lie side by side") {
  std::vector<float> memory(16);
  const SampleRing ring(memory.data(), 1, 16);
  CHECK(ring.contiguous(0, 100) == 16);
  CHECK(ring.contiguous(13, 100) == 3);
  CHECK(ring.contiguous(13, 2) == 2);
  CHECK(ring.contiguous(29, 100) == 3);
}

TEST_CASE("every sample crosses from one thread to another once, whole and in order") {
  constexpr std::int64_t kTotal = 1'000'000;
  std::vector<float> memory(1024);
  const SampleRing ring(memory.data(), 1, 1024);
  std::atomic<std::int64_t> written{0};
  std::atomic<std::int64_t> consumed{0};
  std::thread writer([&] {
    std::int64_t position = 0;
    for (int size = 1; position < kTotal; size = size % 127 + 1) {
      const std::int64_t n = std::min<std::int64_t>(size, kTotal - position);
      while (position + n - consumed.load(std::memory_order_acquire) > 1024) std::this_thread::yield();
      std::vector<float> block(static_cast<std::size_t>(n));
      for (std::int64_t i = 0; i < n; ++i)
        block[static_cast<std::size_t>(i)] = static_cast<float>((position + i) % 8'388'608);
      ring.write(0, position, block.data(), n);
      position += n;
      written.store(position, std::memory_order_release);
    }
  });
  std::int64_t position = 0;
  std::int64_t num_wrong = 0;
  while (position < kTotal) {
    const std::int64_t n = std::min<std::int64_t>(97, written.load(std::memory_order_acquire) - position);
    if (n == 0) {
      std::this_thread::yield();
      continue;
    }
    std::vector<float> block(static_cast<std::size_t>(n));
    ring.read(0, position, block.data(), n);
    for (std::int64_t i = 0; i < n; ++i)
      num_wrong += block[static_cast<std::size_t>(i)] != static_cast<float>((position + i) % 8'388'608);
    position += n;
    consumed.store(position, std::memory_order_release);
  }
  writer.join();
  CHECK(num_wrong == 0);
}
