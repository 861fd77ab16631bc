// SPDX-License-Identifier: MIT
// What engines and hosts do wrong, beyond dying: docs/DESIGN.md lists all faults.
#include <catch2/catch.hpp>

#include <memory>

#include "engine_fixture.h"

using namespace stemlane;
using namespace std::chrono_literals;

namespace {

bool says(const StemStream& stream, EngineState state, const std::string& text) {
  const StreamStatus status = stream.status();
  return status.state == state && status.text.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("an engine that sends no stems but other numbers is a failure with a reason") {
  StemStream stream;
  stream.prepare(config_for("poisons"));
  Player player(stream);
  CHECK(wait_for([&] { return player.play() == 1.0F && says(stream, EngineState::failed, "no sound"); }));
  CHECK(player.play() == 1.0F);

  const Audio in = noise(2, 50'000);
  stream.set_offline(true);
  stream.reset();
  const Audio out = bounce(stream, in);
  CHECK(num_differing(out, in, stream.latency_samples(), 1.0F, 0, 50'000) == 0);
  CHECK(says(stream, EngineState::failed,
             "this render is incomplete: the engine sends stems that are no sound"));
}

TEST_CASE("an engine that is too slow is late, and the mixture passes in time") {
  StemStream stream;
  stream.prepare(config_for("slow"));
  Player player(stream);
  CHECK(wait_for([&] { return player.play() == 1.0F && says(stream, EngineState::late, "late"); }));
}

TEST_CASE("an engine that does not wake up from its sleep is late, one that does is not") {
  StreamConfig config = config_for("works");
  config.sleep_after_seconds = 0.1;
  StemStream stream;
  stream.prepare(config);
  Player player(stream);
  REQUIRE(player.hears(0.5F));
  const auto fall_asleep = [&] {
    player.gains = kUnityGains;
    player.num_samples = 512;
    CHECK(wait_for([&] {
      player.play();
      return shared_audio(stream)->header().wanted == 0;
    }));
    player.pause = 0ms;
    for (int i = 0; i < 1000; ++i) player.play();  // 12 s of music
    player.gains = kNoVocals;
    player.num_samples = 64;
    player.pause = 5ms;
  };
  fall_asleep();
  auto num_late = stream.status().num_late;  // on a busy machine not 0
  CHECK(player.hears(0.5F));
  CHECK(stream.status().num_late == num_late);
  fall_asleep();
  num_late = stream.status().num_late;
  const int engine = children().at(0);
  stop_process(engine);
  for (int i = 0; i < 100; ++i) CHECK(player.play() == 1.0F);
  CHECK(stream.status().num_late == num_late);
  player.pause = 0ms;
  CHECK(wait_for([&] { return player.play() == 1.0F && says(stream, EngineState::late, "late"); }));
  CHECK(stream.status().num_late == num_late + 1);
  player.pause = 5ms;
  continue_process(engine);
  CHECK(player.hears(0.5F));
}

TEST_CASE("an engine whose memory grows without end is started again") {
  StreamConfig config = config_for("leaks");
  config.origin = fake_engine({FAKE_ENGINE, 8 << 20});
  StemStream stream;
  stream.prepare(config);
  Player player(stream);
  REQUIRE(player.hears(0.5F));
  CHECK(wait_for([&] {
    player.play();
    return says(stream, EngineState::failed, "has grown to");
  }));
  // The next one leaks too; it runs for a while all the same.
  CHECK(wait_for([&] {
    player.play();
    return stream.status().state == EngineState::ready;
  }));
}

TEST_CASE("what an engine says is shown as printable text, and nonsense ends it") {
  for (const std::string manner : {"mumbles", "babbles"}) {
    StemStream stream;
    stream.prepare(config_for(manner));
    CHECK(wait_for([&] { return stream.status().state == EngineState::failed; }));
    const std::string text = stream.status().text;
    if (manner == "mumbles") CHECK(text == "B?se ? \xC3\xA9 ??" + std::string(60, 'x'));
    if (manner == "babbles") CHECK(text.find("the engine stopped") != std::string::npos);
  }
}

TEST_CASE("sixteen streams play at once, and the death of one engine is heard in one") {
  std::vector<std::unique_ptr<StemStream>> streams;
  std::vector<std::unique_ptr<Player>> players;
  for (int i = 0; i < 16; ++i) {
    streams.push_back(std::make_unique<StemStream>());
    streams.back()->prepare(config_for("works"));
    players.push_back(std::make_unique<Player>(*streams.back()));
  }
  const auto play_all = [&](float expected) {
    return wait_for([&] {
      int num_right = 0;
      for (std::size_t i = 0; i < streams.size(); ++i) {
        players[i]->stream.process(
            {players[i]->in.pointers.data(), players[i]->out.pointers.data(), 512, kNoVocals, {}});
        num_right += players[i]->out.samples[0][511] == (i == 0 ? expected : 0.5F);
      }
      std::this_thread::sleep_for(2ms);
      return num_right == 16;
    });
  };
  CHECK(play_all(0.5F));
  const auto all = children();
  CHECK(all.size() == 16);
  // The first stream's engine is the one that leaves when the stream does.
  streams[0]->prepare(config_for("refuses"));
  CHECK(play_all(1.0F));
  streams[0]->prepare(config_for("works"));
  CHECK(play_all(0.5F));
}

TEST_CASE("a hundred streams come and go without a trace") {
  const auto descriptors = num_descriptors();
  const auto threads = num_threads();
  for (int i = 0; i < 100; ++i) {
    StemStream stream;
    stream.prepare(config_for("works"));
    if (i % 4 == 0) stream.set_offline(true);
    const Audio in = noise(2, 6000);
    bounce(stream, in);
  }
  CHECK(children().empty());
  CHECK(num_descriptors() == descriptors);
  CHECK(num_threads() == threads);
}

TEST_CASE("a smaller block keeps the engine; another rate, model or a larger block starts one anew") {
  StemStream stream;
  StreamConfig config = config_for("works");
  config.max_block_samples = 16384;
  stream.prepare(config);
  const auto engine = [&] {
    wait_for([&] { return stream.status().state == EngineState::ready && children().size() == 1; });
    return children().at(0);
  };
  const int first = engine();
  for (const int size : {64, 8192, 1, 16384}) {
    config.max_block_samples = size;
    stream.prepare(config);
    CHECK(stream.config().max_block_samples == 16384);
    CHECK(engine() == first);
  }
  config.sample_rate = 48000.0;
  config.max_block_samples = 512;
  stream.prepare(config);
  const int second = engine();
  CHECK(second != first);
  config.max_block_samples = 16384;
  stream.prepare(config);
  CHECK(engine() != second);
}
