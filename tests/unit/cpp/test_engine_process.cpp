// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "engine_fixture.h"

using namespace stemlane;
using namespace std::chrono_literals;

TEST_CASE("an offline render waits for the engine, is complete and the same in any blocks") {
  const Audio in = noise(2, 300'000);
  for (const bool segments : {false, true}) {
    StreamConfig config = config_for("works");
    if (segments) config.model = {"works", "", 44100.0, 11'025, 33'075, 22'050, {0, 1, 2}, kOtherStem};
    StemStream stream;
    stream.prepare(config);
    stream.set_offline(true);
    const Audio first = bounce(stream, in);
    CHECK(num_differing(first, in, stream.latency_samples(), 0.5F, 0, 300'000) == 0);
    REQUIRE(stream.config().max_block_samples < 5000);
    for (const int size : {1000, 31, 5000, 100'000}) {  // the last two are larger than prepared for
      stream.reset();
      CHECK(bounce(stream, in, size).samples == first.samples);
    }
    CHECK(becomes_ready(stream));
  }
}

TEST_CASE("a stream that only lives briefly starts no engine") {
  std::ptrdiff_t before = 0;
  for (int i = 0; i < 20; ++i) {
    if (i == 1) before = num_descriptors();  // some systems keep what the first thread needs
    StemStream stream;
    stream.prepare(config_for("works"));
    const Audio in = noise(2, 5632);
    Audio out(2, 5632);
    stream.set_offline(true);
    stream.process({in.pointers.data(), out.pointers.data(), 5632, kUnityGains, {}});
    CHECK(children().empty());
  }
  CHECK(num_descriptors() == before);
}

TEST_CASE("50 streams with engines leave no process and no descriptor behind") {
  const auto before = num_descriptors();
  for (int i = 0; i < 50; ++i) {
    StemStream stream;
    stream.prepare(config_for("works"));
    stream.set_offline(true);
    const Audio in = noise(2, 6000);
    bounce(stream, in);
    CHECK(children().size() == 1);
  }
  CHECK(children().empty());
  CHECK(num_descriptors() == before);
}

TEST_CASE("an engine that dies in an offline render ends it with an error, and the next one works") {
  const Audio in = noise(2, 200'000);
  StemStream stream;
  stream.prepare(config_for("works"));
  stream.set_offline(true);
  const Audio out = bounce(stream, in, 512, [](int block) {
    if (block == 100)
      for (const int pid : children()) kill_process(pid);
  });
  CHECK(num_differing(out, in, stream.latency_samples(), 1.0F, 190'000, 200'000) ==
        0);  // the mixture goes on
  CHECK(stream.status().state == EngineState::failed);
  CHECK(stream.status().text.find("incomplete") != std::string::npos);
  stream.reset();
  CHECK(num_differing(bounce(stream, in), in, stream.latency_samples(), 0.5F, 0, 200'000) == 0);
  CHECK(becomes_ready(stream));
}

TEST_CASE("in real time the mixture carries on when the engine dies, and a new engine takes over") {
  StemStream stream;
  stream.prepare(config_for("works"));
  Player player(stream);
  REQUIRE(player.hears(0.5F));
  for (const int pid : children()) kill_process(pid);
  CHECK(player.hears(1.0F));
  CHECK(wait_for([&] { return stream.status().state == EngineState::failed; }));
  CHECK(stream.status().text.find(kKilled) != std::string::npos);
  CHECK(player.hears(0.5F));
  CHECK(wait_for([&] {
    player.play();
    return stream.status().state == EngineState::ready;
  }));
}

TEST_CASE("in real time a stopped engine is late, and catches up when it goes on") {
  StemStream stream;
  stream.prepare(config_for("works"));
  Player player(stream);
  REQUIRE(player.hears(0.5F));
  player.num_samples = 64;
  REQUIRE(wait_for([&] { return player.play() == 0.5F && stream.status().state == EngineState::ready; }));
  const auto num_late = stream.status().num_late;
  for (const int pid : children()) stop_process(pid);
  CHECK(player.hears(1.0F));
  CHECK(stream.status().num_late == num_late + 1);
  CHECK(stream.status().state == EngineState::late);
  for (const int pid : children()) continue_process(pid);
  CHECK(player.hears(0.5F));
  player.num_samples = 512;
  CHECK(wait_for([&] {
    player.play();
    return stream.status().state == EngineState::ready;
  }));
}

TEST_CASE(
    "engines that refuse, crash, hang or stop are failures with a reason, never a wait, and leave nothing") {
  const auto before = num_descriptors();
  for (const std::string manner : {"refuses", "crashes", "hangs", "stops", "dozes"}) {
    INFO(manner);
    StemStream stream;
    // The others say or show by themselves what is wrong, however long it takes them to start.
    stream.prepare(config_for(manner, manner == "hangs" || manner == "dozes" ? 0.3 : 30.0));
    stream.set_offline(true);
    const Audio in = noise(2, 400'000);
    const Audio out = bounce(stream, in);
    CHECK(num_differing(out, in, stream.latency_samples(), 1.0F, 390'000, 400'000) == 0);
    CHECK(stream.status().state == EngineState::failed);
    CHECK_FALSE(stream.status().text.empty());
    if (manner == "refuses") CHECK(stream.status().text.find("no such model") != std::string::npos);
    if (manner == "hangs") CHECK(stream.status().text.find("no progress") != std::string::npos);
  }
  CHECK(wait_for([] { return children().empty(); }));
  CHECK(num_descriptors() == before);
}

TEST_CASE("an engine that fails before its first stems is started once more, and the render is complete") {
  const Audio in = noise(2, 100'000);
  for (int i = 0; i < 6; ++i) {
    StemStream stream;
    stream.prepare(config_for("fails first"));
    stream.set_offline(true);
    const Audio out = bounce(stream, in, 1 + 1500 * i);
    CHECK(num_differing(out, in, stream.latency_samples(), 0.5F, 0, 100'000) == 0);
    CHECK(becomes_ready(stream));
  }
}

TEST_CASE("who gives an engine up does not end the next one") {
  std::string error;
  const std::shared_ptr<SharedAudio> memory = SharedAudio::create(2, 3, 65536, error);
  REQUIRE(memory != nullptr);
  EngineBoard board;
  EngineProcess engine({FAKE_ENGINE, config_for("works").model}, memory, board);
  engine.start_now();
  REQUIRE(wait_for([&] { return engine.state() == EngineState::ready; }));
  kill_process(children().at(0));
  REQUIRE(wait_for([&] { return engine.num_failures() == 1; }));
  engine.give_up(0, "no progress");  // meant for the one that has died meanwhile
  REQUIRE(wait_for([&] { return engine.state() == EngineState::ready; }));
  engine.start_now();  // wakes the supervisor
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(engine.num_failures() == 1);
  kill_process(children().at(0));
  REQUIRE(wait_for([&] { return engine.num_failures() == 2; }));
  CHECK(engine.last_failure().find(kKilled) != std::string::npos);

  REQUIRE(wait_for([&] { return engine.state() == EngineState::ready; }));
  engine.give_up(2, "no progress");
  REQUIRE(wait_for([&] { return engine.num_failures() == 3; }));
  CHECK(engine.last_failure() == "no progress");
}

TEST_CASE("an engine's last words arrive, however soon it leaves") {
  for (int i = 0; i < 20; ++i) {
    StemStream stream;
    stream.prepare(config_for("refuses unread"));
    stream.set_offline(true);
    bounce(stream, noise(2, 6000));
    CHECK(stream.status().text == "this render is incomplete: no memory");
  }
}

TEST_CASE("an engine that says that none can do it is not started again") {
  StemStream stream;
  stream.prepare(config_for("refuses for ever"));
  REQUIRE(wait_for([&] { return stream.status().state == EngineState::failed; }));
  CHECK(stream.status().text == "not at this rate");
  stream.set_offline(true);
  const Audio in = noise(2, 20'000);
  const Audio out = bounce(stream, in);
  CHECK(num_differing(out, in, stream.latency_samples(), 1.0F, 0, 20'000) == 0);
  CHECK(stream.status().text == "this render is incomplete: not at this rate");
  std::this_thread::sleep_for(std::chrono::milliseconds(600));  // past the first retry
  CHECK(children().empty());
}

TEST_CASE("a missing engine is named") {
  StreamConfig config = config_for("works");
  config.origin = fake_engine({"/nowhere/stemlane-engine"});
  StemStream stream;
  stream.prepare(config);
  CHECK(wait_for([&] { return stream.status().state == EngineState::failed; }));
  CHECK(stream.status().text.find("/nowhere/stemlane-engine") != std::string::npos);
}
