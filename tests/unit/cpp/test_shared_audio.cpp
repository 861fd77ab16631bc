// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "link/engine_link.h"
#include "link/shared_audio.h"
#include "processes.h"

using namespace stemlane;

namespace {

// As an engine process would.
std::unique_ptr<SharedAudio> open_copy(SharedAudio& host, std::string& error) {
  return SharedAudio::open(duplicate_handle(host.handle()),
                           Event(duplicate_handle(host.mixture_written().handle())),
                           Event(duplicate_handle(host.stems_written().handle())), error);
}

}  // namespace

TEST_CASE("memory made by one side is mapped by the other") {
  std::string error;
  const auto host = SharedAudio::create(2, 3, 1024, error);
  REQUIRE(host != nullptr);
  const auto engine = open_copy(*host, error);
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

  const auto event = Event::create(error);
  CHECK(SharedAudio::open(duplicate_handle(event->handle()), Event(OwnedHandle()), Event(OwnedHandle()),
                          error) == nullptr);  // no memory at all
  const auto spoil = [&](auto change) {
    const auto host = SharedAudio::create(2, 3, 1024, error);
    change(host->header());
    error.clear();
    const auto engine = open_copy(*host, error);
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

TEST_CASE("signals without end hold nobody up, and one wait takes them all") {
  std::string error;
  auto event = Event::create(error);
  REQUIRE(event.has_value());
  for (int i = 0; i < 3000; ++i) event->signal();
  event->wait(10'000'000'000);  // returns at once
  CHECK_FALSE(is_signalled(*event));
  event->signal();
  CHECK(is_signalled(*event));
}
