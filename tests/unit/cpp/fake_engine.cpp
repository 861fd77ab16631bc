// SPDX-License-Identifier: MIT
// An engine without Python: stem i is the mixture times kShares[i]. The model's name
// tells it how to misbehave.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "host/user_folders.h"
#include "link/host_link.h"
#include "platform/environment.h"
#include "platform/process.h"
#include "platform/text_path.h"
#include "processes.h"
#include "stream_fixture.h"

using namespace stemlane;

namespace {

using Say = std::function<void(const std::string&)>;

std::string after(const std::vector<std::string>& arguments, const std::string& option) {
  const auto found = std::find(arguments.begin(), arguments.end(), option);
  return found == arguments.end() || found + 1 == arguments.end() ? "" : *(found + 1);
}

// A line of the user's list, as if the model had been converted.
void install(const std::string& name) {
  const auto folder = user_folder(contract::kUserData) / contract::kModelsFolder;
  std::filesystem::create_directories(folder);
  std::ofstream(folder / contract::kModelIndexFile, std::ios::app)
      << name << "\tAdded " << name << "\t44100\t512\t512\t1536\tvocals,drums,bass\tother\n";
}

// A reason of several lines.
std::string many_words() {
  std::string words;
  for (int i = 0; i < 60; ++i) words += " words";
  return words;
}

int models(const std::vector<std::string>& arguments, const Say& say) {
  if (arguments[1] == "list") {
    say(R"({"name": "live", "title": "Live", "installed": true, "stems": ["vocals", "drums", "bass", "other"],)"
        R"( "latency_seconds": [0.06], "quality": "for playing live", "licence": "MIT"})");
    for (const char* source : {"free", "restricted", "broken", "endless"})
      say(R"({"name": "added-)" + std::string(source) + R"(", "source": ")" + source +
          R"(", "installed": false, "is_here": false, "stems": ["vocals", "other"], "latency_seconds": [15, 3.2],)"
          R"( "megabytes": 79, "quality": "6.6 dB SDR", "licence": "terms of )" +
          source + R"(", "stated_in": "a README", "notice": ""})");
    return 0;
  }
  const std::string& source = arguments[2];
  const bool accepted = std::find(arguments.begin(), arguments.end(), "--accept-licence") != arguments.end();
  if (source.find("weights.th") != std::string::npos && !accepted) {
    say(R"({"question": "for research only. Add it?"})");
    say("stemlane: not added");
    return 1;
  }
  say(R"({"stage": "downloading", "done": 1, "total": 4})");
  if (source == "unclear") {
    say("stemlane:" + many_words());
    return 1;
  }
  if (source == "broken") {
    say("stemlane: the server does not answer: try again");
    return 1;
  }
  if (source == "endless") hang();
  const std::string name = source == "free" || source == "restricted" ? "added-" + source : "added-own";
  install(name);
  say(R"({"added": [{"name": ")" + name + R"(", "title": "Added"}]})");
  return 0;
}

// A WAV file of float32 with one second of a constant, as a stem of a recording of ones.
void write_constant(const std::filesystem::path& path, float value) {
  constexpr std::uint32_t kSamples = 44100;
  std::ofstream file(path, std::ios::binary);
  const auto number = [&](auto bits) { file.write(reinterpret_cast<const char*>(&bits), sizeof bits); };
  file << "RIFF";
  number(std::uint32_t{36 + 8 * kSamples});
  file << "WAVEfmt ";
  number(std::uint32_t{16});
  number(std::uint16_t{3});  // float
  number(std::uint16_t{2});
  number(std::uint32_t{44100});
  number(std::uint32_t{8 * 44100});
  number(std::uint16_t{8});
  number(std::uint16_t{32});
  file << "data";
  number(std::uint32_t{8 * kSamples});
  for (std::uint32_t i = 0; i < 2 * kSamples; ++i) number(value);
}

int separate(const std::vector<std::string>& arguments, const Say& say) {
  const std::string& input = arguments[1];
  say(R"({"stage": ")" + input + R"(", "done": 0.5, "total": 1.0})");
  if (input.find("endless") != std::string::npos) hang();
  if (input.find("broken") != std::string::npos) {
    say(R"({"input": ")" + input + R"(", "state": "failed", "outputs": {}, "warnings": []})");
    say("stemlane: " + input + ": not audio");
    return 1;
  }
  if (input.find("unclear") != std::string::npos) {
    say("stemlane:" + many_words());
    return 1;
  }
  const std::string track = text_of(path_of(input).stem());
  std::string name = after(arguments, "--name");  // "{track} (2)/{stem}.{ext}"
  name = name.substr(0, name.find('/')).replace(0, std::string("{track}").size(), track);
  const auto folder = path_of(after(arguments, "-o")) / path_of(name);
  std::filesystem::create_directories(folder);
  if (after(arguments, "--format") == "stem.mp4") {
    const auto file = folder / (track + ".stem.mp4");
    std::ofstream(file) << input;
    say(R"({"state": "done", "outputs": {"stems": ")" + text_of(file) +
        R"("}, "waveforms": {"stems": [0, 25, 50, 100]}})");
    return 0;
  }
  std::string outputs;
  const bool isTone = input.find("tone") != std::string::npos;
  std::size_t number = 0;
  for (const char* stem : {"vocals", "drums", "bass", "other"}) {
    const auto file = folder / (std::string(stem) + "." + after(arguments, "--format"));
    const float share = number < kShares.size() ? kShares[number] : 0.125F;
    ++number;
    if (isTone)
      write_constant(file, share);
    else
      std::ofstream(file) << input;
    outputs += (outputs.empty() ? "\"" : ", \"") + std::string(stem) + "\": \"" + text_of(file) + "\"";
  }
  // One that is right, and what no engine should say.
  const std::string threads = after(arguments, "--threads");
  const std::string waveforms = R"("vocals": [0, 25, 50, 100], "drums": "loud", "bass": [250, -3, 7])";
  say(R"({"input": ")" + input + R"(", "state": "done", "outputs": {)" + outputs + R"(}, "warnings": [)" +
      (input.find("loud") != std::string::npos ? R"("clipped, its peak was 1.20")"
       : !threads.empty()                      ? "\"computed by " + threads + "\""
                                               : "") +
      R"(], "waveforms": {)" + waveforms + "}}");
  return 0;
}

// The command line's part, for tests of whoever starts it: does as its first argument says.
int command(const std::vector<std::string>& arguments) {
  const std::string manner = arguments.empty() ? "" : arguments.front();
  const auto say = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  if (manner == "becomes") {
    std::vector<std::string> all = {"--command"};
    all.insert(all.end(), arguments.begin() + 1, arguments.end());
    say("stemlane: " + become(executable_path(), all, {}));
    return 1;
  }
  if (manner == "models") return models(arguments, say);
  if (manner == "separate") return separate(arguments, say);
  if (manner == "counts")
    for (int done = 0; done <= 3; ++done)
      say("{\"stage\": \"counting\", \"done\": " + std::to_string(done) + "}");
  if (manner == "floods")
    for (int line = 0; line < 40; ++line) say("{" + std::string(100'000, 'x'));
  if (manner == "echoes")
    for (const std::string& argument : arguments) say("{" + argument);
  if (manner == "fails") {
    say("a warning of some library");
    say("stemlane: nobody.wav: no such file");
    return 1;
  }
  if (manner == "runs out") {
    say("stemlane: unexpected: MemoryError");
    return 1;
  }
  if (manner == "dies") kill_self();
  if (manner == "waits") {
    say("{\"stage\": \"waiting\"}");
    hang();
  }
  if (manner == "breaks off") {
    std::printf("{\"half");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int count, char** vector) {
  const std::vector<std::string> arguments = arguments_of_main(count, vector);
  if (!arguments.empty() && arguments.front() == "--command")
    return command({arguments.begin() + 1, arguments.end()});
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
  if (manner == "loses-python") {
    say(EngineState::failed, "no Python at /old (named in engine.conf); run 'stemlane plugin install' again");
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
  EngineEnd measured(*memory);
  std::vector<std::string> hoard;
  // Another one each time: what is heard must not depend on it.
  std::minstd_rand generator(static_cast<unsigned>(process_id()));
  std::uniform_int_distribution<int> delay(0, 3000);
  // Some misbehave in the middle of the music, wherever that falls among the turns below.
  separator.after_step = [&](std::int64_t num_consumed) {
    if (manner == "dawdles") std::this_thread::sleep_for(std::chrono::microseconds(delay(generator)));
    if (manner == "slow") std::this_thread::sleep_for(std::chrono::milliseconds(100));
    // Its steps take a tenth of their music, and a twentieth of the time they have.
    const std::int64_t stride = configuration.stride_samples;
    if (manner == "duo") measured.note_step(stride * 100'000 / 44100, stride, 2 * stride);
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
