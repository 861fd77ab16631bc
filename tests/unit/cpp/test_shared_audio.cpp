// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "link/engine_link.h"
#include "link/shared_audio.h"

using namespace stemlane;

TEST_CASE("memory made by one side is mapped by the other") {
  std::string error;
  const auto host = SharedAudio::create(2, 3, 1024, error);
  REQUIRE(host != nullptr);
  const auto engine = SharedAudio::open(fcntl(host->descriptor(), F_DUPFD_CLOEXEC, 0), error);
  REQUIRE(engine != nullptr);
  CHECK(engine->num_channels() == 2);
  CHECK(engine->num_stems() == 3);
  CHECK(engine->capacity() == 1024);
  *host->mixture().at(1, 1023) = 0.5F;
  *host->stems().at(5, 1023) = 0.25F;
  CHECK(*engine->mixture().at(1, 1023) == 0.5F);
  CHECK(*engine->stems().at(5, 1023) == 0.25F);
}

TEST_CASE("memory that does not keep the contract is refused with a reason") {
  std::string error;
  CHECK(SharedAudio::create(3, 1, 1024, error) == nullptr);
  CHECK(SharedAudio::create(2, 6, 1024, error) == nullptr);
  CHECK(SharedAudio::create(2, 1, 1000, error) == nullptr);

  CHECK(SharedAudio::open(memfd_create("empty", MFD_CLOEXEC), error) == nullptr);
  const auto spoil = [&](auto change) {
    const auto host = SharedAudio::create(2, 3, 1024, error);
    change(host->header());
    error.clear();
    const auto engine = SharedAudio::open(fcntl(host->descriptor(), F_DUPFD_CLOEXEC, 0), error);
    return engine == nullptr && !error.empty();
  };
  CHECK_FALSE(spoil([](SharedHeader&) {}));
  CHECK(spoil([](SharedHeader& header) { header.magic = 0; }));
  CHECK(spoil([](SharedHeader& header) { header.version += 1; }));
  CHECK(spoil([](SharedHeader& header) { header.num_stems = 5; }));
  CHECK(spoil([](SharedHeader& header) { header.num_channels = 0; }));
  CHECK(spoil([](SharedHeader& header) { header.capacity_samples = -1024; }));
  CHECK(spoil([](SharedHeader& header) { header.capacity_samples = std::int64_t{1} << 40; }));
}

TEST_CASE("nobody can cut the shared memory short") {
  std::string error;
  const auto host = SharedAudio::create(2, 3, 1024, error);
  REQUIRE(host != nullptr);
  CHECK(ftruncate(host->descriptor(), 0) != 0);
  CHECK(errno == EPERM);
  CHECK(ftruncate(host->descriptor(), 1 << 24) != 0);
  *host->stems().at(5, 1023) = 0.25F;
}

TEST_CASE("a count of wake-ups without end holds nobody up") {
  std::string error;
  const auto memory = SharedAudio::create(1, 1, 1024, error);
  HostEnd host(*memory);
  for (int i = 0; i < 2 * kMostWakeUps; ++i) sem_post(&memory->header().stems_written);
  host.wait_for_engine(1'000'000);
  int left = 0;
  CHECK(sem_getvalue(&memory->header().stems_written, &left) == 0);
  CHECK(left == kMostWakeUps - 1);
}
