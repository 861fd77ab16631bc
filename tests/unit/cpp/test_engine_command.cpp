// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "engine_fixture.h"
#include "host/engine_command.h"
#include "processes.h"

using namespace stemlane;

namespace {

/// All lines of a command, read until it has ended.
std::vector<std::string> all_lines(EngineCommand& command) {
  std::vector<std::string> lines;
  while (command.is_running()) {
    for (std::string& line : command.read()) lines.push_back(std::move(line));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return lines;
}

struct Ran {
  std::vector<std::string> lines;
  std::string problem;
};

Ran run(const std::vector<std::string>& arguments) {
  EngineCommand command(FAKE_ENGINE, arguments);
  auto lines = all_lines(command);
  return {std::move(lines), command.problem()};
}

/// A folder for temporary files that no other process uses, for the time of a test.
class TemporaryFiles {
 public:
  TemporaryFiles()
      : folder_(std::filesystem::temp_directory_path() /
                ("engine-command-test-" + std::to_string(process_id()))) {
    if (const char* value = std::getenv(kVariable)) before_ = value;
    std::filesystem::create_directory(folder_);
    set(folder_.string());
  }
  ~TemporaryFiles() {
    set(before_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TemporaryFiles(const TemporaryFiles&) = delete;
  TemporaryFiles& operator=(const TemporaryFiles&) = delete;

  std::ptrdiff_t count() const {
    std::error_code ignored;
    return std::distance(std::filesystem::directory_iterator(folder_, ignored), {});
  }

 private:
#ifdef _WIN32
  static constexpr const char* kVariable = "TMP";
  static void set(const std::string& value) {
    _putenv_s(kVariable, value.c_str());
  }  // "" removes it
#else
  static constexpr const char* kVariable = "TMPDIR";
  static void set(const std::string& value) {
    if (value.empty())
      unsetenv(kVariable);
    else
      setenv(kVariable, value.c_str(), 1);
  }
#endif

  std::filesystem::path folder_;
  std::string before_;
};

}  // namespace

TEST_CASE("a command's lines arrive in order, and nothing is wrong") {
  const Ran ran = run({"counts"});
  CHECK(ran.problem.empty());
  REQUIRE(ran.lines.size() == 4);
  for (int done = 0; done <= 3; ++done)
    CHECK(ran.lines[static_cast<std::size_t>(done)] ==
          "{\"stage\": \"counting\", \"done\": " + std::to_string(done) + "}");
}

TEST_CASE("arguments arrive as they are") {
  const std::vector<std::string> arguments = {"echoes", "", "a b", "it's \"x\"", "\\\\", "-o", "\xC3\xA4"};
  const Ran ran = run(arguments);
  REQUIRE(ran.lines.size() == arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) CHECK(ran.lines[i] == "{" + arguments[i]);
}

TEST_CASE("a command that fails says why in one line") {
  CHECK(run({"fails"}).problem == "nobody.wav: no such file");
  CHECK(run({"runs out"}).problem ==
        "there is not enough memory for the engine: close other programs, or choose a smaller model "
        "(unexpected: MemoryError)");
  CHECK(run({"dies"}).problem == "the command ended without a word (" + std::string(kKilled) + ")");
  EngineCommand missing("/nowhere/stemlane-engine", {"counts"});
  CHECK_FALSE(missing.is_running());
  CHECK(missing.problem() == "the engine is missing: /nowhere/stemlane-engine; install Stemlane again");
}

TEST_CASE("a command may become another program, and ends as that does") {
  const Ran ran = run({"becomes", "echoes", "", "a b", "it's \"x\"", "\\", "\xC3\xA4"});
  CHECK(ran.problem.empty());
  CHECK(ran.lines == std::vector<std::string>{"{echoes", "{", "{a b", "{it's \"x\"", "{\\", "{\xC3\xA4"});
  CHECK(run({"becomes", "fails"}).problem == "nobody.wav: no such file");
  EngineCommand command(FAKE_ENGINE, {"becomes", "waits"});
  REQUIRE(wait_for([&] { return !command.read().empty(); }));
  command.cancel();
  all_lines(command);
  CHECK(command.problem() == "cancelled");
}

TEST_CASE("lines without end are cut, and half a line is one") {
  const Ran flood = run({"floods"});
  REQUIRE(flood.lines.size() == 40);
  for (const std::string& line : flood.lines) CHECK(line.size() == 65'536);
  CHECK(run({"breaks off"}).lines == std::vector<std::string>{"{\"half"});
}

TEST_CASE("a command can be cancelled, and ends with its owner; nothing is left") {
  const TemporaryFiles temporary;
  const std::ptrdiff_t descriptors = num_descriptors();
  const auto has_begun = [](EngineCommand& command) {
    std::vector<std::string> lines;
    const bool is_over = wait_for([&] { return !(lines = command.read()).empty() || !command.is_running(); });
    INFO(command.problem());
    return is_over && !lines.empty();
  };
  for (int round = 0; round < 3; ++round) {
    EngineCommand cancelled(FAKE_ENGINE, {"waits"});
    REQUIRE(has_begun(cancelled));
    cancelled.cancel();
    all_lines(cancelled);
    CHECK(cancelled.problem() == "cancelled");
    EngineCommand left(FAKE_ENGINE, {"waits"});
    REQUIRE(has_begun(left));
    CHECK(temporary.count() == 2);  // it is there that these commands print
  }
  CHECK(children().empty());
  CHECK(num_descriptors() == descriptors);
  CHECK(temporary.count() == 0);
}
