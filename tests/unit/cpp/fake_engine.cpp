// SPDX-License-Identifier: MIT
// An engine without Python: stem i is the mixture times kShares[i]. The model's name
// tells it how to misbehave.
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "link/host_link.h"
#include "processes.h"
#include "stream_fixture.h"

using namespace stemlane;

int main() {
  bind_to_parent();
  be_first_when_out_of_memory();
  std::string error;
  const auto memory = HostLink::open_memory(error);
  HostLink host;
  const auto say = [&](EngineState state, const char* text, bool is_final = false) {
    host.send_status(state, text, is_final);
  };
  if (memory == nullptr) return 1;
  // Looks, and leaves it unread.
  ConfigureMessage configuration;
  if (!peek_message(&configuration, sizeof configuration)) return 1;
  const std::string manner = configuration.model;
  if (manner == "prints") {
    std::puts("a line");
    std::fflush(stdout);
  }
  if (manner == "refuses unread") {  // the system then tells the host of a broken connection first
    say(EngineState::failed, "no memory");
    return 1;
  }
  if (!host.receive_configuration(configuration)) return 1;
  if (manner == "refuses") {
    say(EngineState::failed, "no such model");
    return 1;
  }
  if (manner == "refuses for ever") {
    say(EngineState::failed, "not at this rate", true);
    return 1;
  }
  // The memory outlives the engine.
  if (manner == "fails first" && memory->header().num_steps.fetch_add(1) == 0) return 1;
  if (manner == "crashes") crash();
  if (manner == "hangs") hang();
  if (manner == "mumbles") {
    say(EngineState::failed, ("B\xC3se \x01 \xC3\xA9 \xED\xA0" + std::string(60, 'x')).c_str());
    return 1;
  }
  say(EngineState::ready, "running");
  if (manner == "babbles") {
    const std::string noise(3 * sizeof(StatusMessage), 'z');
    for (const std::size_t size : {std::size_t{1}, sizeof(StatusMessage), noise.size()})
      babble(noise.substr(0, size));
  }

  ModelDescriptor model = fake_model(configuration.stride_samples, configuration.delay_samples);
  FakeSeparator separator(*memory, model);
  separator.poison = manner == "poisons";
  std::vector<std::string> hoard;
  // Another one each time: what is heard must not depend on it.
  std::minstd_rand generator(static_cast<unsigned>(process_id()));
  std::uniform_int_distribution<int> delay(0, 3000);
  // Some misbehave in the middle of the music, wherever that falls among the turns below.
  separator.after_step = [&](std::int64_t num_consumed) {
    if (manner == "dawdles") std::this_thread::sleep_for(std::chrono::microseconds(delay(generator)));
    if (manner == "slow") std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (num_consumed < 50'000) return;
    if (manner == "leaks") hoard.emplace_back(1 << 17, 'x');
    if (manner == "stops") kill_self();
    if (manner == "dozes") hang();
  };
  for (;;) {
    if (host.host_has_left()) return 0;
    separator.run();
    memory->mixture_written().wait(1'000'000);
  }
}
