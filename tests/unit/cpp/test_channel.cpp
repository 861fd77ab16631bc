// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <array>
#include <string>
#include <utility>

#include "engine_fixture.h"
#include "platform/channel.h"

using namespace stemlane;
using Received = Channel::Received;

namespace {

using Message = std::array<char, 300>;

std::pair<Channel, Channel> make_channel() {
  std::string error;
  auto ends = Channel::create(error);
  REQUIRE(ends.has_value());
  return std::move(*ends);
}

Message filled(char value) {
  Message message;
  message.fill(value);
  return message;
}

}  // namespace

TEST_CASE("messages arrive whole and in order, in both directions") {
  auto [one, other] = make_channel();
  Message message{};
  CHECK_FALSE(other.has_news());
  CHECK(other.receive(&message, sizeof message, false) == Received::nothing);
  for (const char value : {'a', 'b', 'c'}) CHECK(one.send(filled(value).data(), sizeof(Message)));
  CHECK(wait_for([&] { return other.has_news(); }));
  for (const char value : {'a', 'b', 'c'}) {
    CHECK(other.receive(&message, sizeof message, true) == Received::message);
    CHECK(message == filled(value));
  }
  CHECK(other.receive(&message, sizeof message, false) == Received::nothing);
  CHECK(other.send(filled('d').data(), sizeof(Message)));
  CHECK(one.receive(&message, sizeof message, true) == Received::message);
  CHECK(message == filled('d'));
}

TEST_CASE("an end that closes is noticed, after its last words") {
  auto [one, other] = make_channel();
  Message message{};
  CHECK(one.send(filled('a').data(), sizeof(Message)));
  CHECK(other.send(filled('b').data(), sizeof(Message)));  // never read
  { const Channel closed = std::move(one); }
  CHECK(other.receive(&message, sizeof message, true) == Received::message);
  CHECK(message == filled('a'));
  CHECK(other.has_news());
  CHECK(other.receive(&message, sizeof message, true) == Received::closed);
  CHECK_FALSE(other.send(&message, sizeof message));
}

TEST_CASE("a message of another size is the end") {
  for (const std::size_t size : {std::size_t{1}, sizeof(Message) - 1, sizeof(Message) + 1}) {
    auto [one, other] = make_channel();
    const std::string sent(size, 'x');
    CHECK(one.send(sent.data(), size));
    Message message{};
    CHECK(other.receive(&message, sizeof message, true) == Received::closed);
  }
}

TEST_CASE("a wait ends with what comes first") {
  std::string error;
  auto event = Event::create(error);
  REQUIRE(event.has_value());
  auto [one, other] = make_channel();
  CHECK_FALSE(wait_for_either(*event, &other, 0));
  event->signal();
  CHECK_FALSE(wait_for_either(*event, &other, 60'000));  // returns at once, and takes the signal
  CHECK_FALSE(is_signalled(*event));
  CHECK(one.send("x", 1));
  CHECK(wait_for_either(*event, &other, 60'000));
  CHECK(wait_for_either(*event, &other, 60'000));  // nothing was taken
}

TEST_CASE("a channel that is open is counted among the descriptors, one that is closed is not") {
  const auto before = num_descriptors();
  {
    const auto ends = make_channel();
    CHECK(num_descriptors() >= before + 2);
  }
  CHECK(num_descriptors() == before);
}
