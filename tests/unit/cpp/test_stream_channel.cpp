// SPDX-License-Identifier: MIT
// Only where channels are made of bytes: see posix/stream_channel.cpp.
#include <catch2/catch.hpp>

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "platform/channel.h"

using namespace stemlane;
using Received = Channel::Received;

TEST_CASE("a message that comes in pieces is one, and half of it wakes nobody twice") {
  std::string error;
  auto ends = Channel::create(error);
  REQUIRE(ends.has_value());
  auto& [one, other] = *ends;
  const std::uint32_t size = 4;
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  bytes += "abcd";
  std::string message(size, '\0');
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      REQUIRE(send(static_cast<int>(one.handle()), &bytes[i], 1, 0) == 1);
      CHECK(other.has_news());
      const bool is_last = i + 1 == bytes.size();
      CHECK(other.receive(message.data(), size, false) == (is_last ? Received::message : Received::nothing));
      CHECK_FALSE(other.has_news());
    }
    CHECK(message == "abcd");
  }
  // Of a message that is cut off, nothing is passed on.
  REQUIRE(send(static_cast<int>(one.handle()), bytes.data(), 6, 0) == 6);
  { const Channel closed = std::move(one); }
  CHECK(other.receive(message.data(), size, true) == Received::closed);
}

TEST_CASE("a channel that is full fails and is closed, and nobody waits") {
  std::string error;
  auto ends = Channel::create(error);
  REQUIRE(ends.has_value());
  auto& [one, other] = *ends;
  const std::string message(1000, 'x');
  int num_sent = 0;
  while (one.send(message.data(), message.size())) REQUIRE(++num_sent < 1'000'000);
  std::string received(message.size(), '\0');
  for (int i = 0; i < num_sent; ++i)
    REQUIRE(other.receive(received.data(), received.size(), true) == Received::message);
  CHECK(received == message);
  CHECK(other.receive(received.data(), received.size(), true) == Received::closed);
  CHECK_FALSE(one.send(message.data(), message.size()));
}
