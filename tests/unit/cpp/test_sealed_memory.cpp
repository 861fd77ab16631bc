// SPDX-License-Identifier: MIT
// Linux only: elsewhere the system itself lets nobody change the size (macOS, Windows).
#include <catch2/catch.hpp>

#include <errno.h>
#include <unistd.h>

#include "link/shared_audio.h"

using namespace stemlane;

TEST_CASE("nobody can cut the shared memory short") {
  std::string error;
  const auto host = SharedAudio::create(2, 3, 1024, error);
  REQUIRE(host != nullptr);
  CHECK(ftruncate(static_cast<int>(host->handle()), 0) != 0);
  CHECK(errno == EPERM);
  CHECK(ftruncate(static_cast<int>(host->handle()), 1 << 24) != 0);
  *host->stems().at(5, 1023) = 0.25F;
}
