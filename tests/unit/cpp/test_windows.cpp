// SPDX-License-Identifier: MIT
// What only Windows has: jobs, wide names. See test_forks.cpp for the same on POSIX systems.
#include <catch2/catch.hpp>

#include <process.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine_fixture.h"
#include "host/model_index.h"
#include "host/user_folders.h"
#include "platform/library.h"
#include "platform/process.h"
#include "platform/text_path.h"
#include "platform/windows/system.h"

using namespace stemlane;

namespace {

namespace fs = std::filesystem;

bool runs(int id) {
  const OwnedHandle process = as_owned(OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(id)));
  return process && WaitForSingleObject(as_handle(process.get()), 0) == WAIT_TIMEOUT;
}

/// A folder whose name no code page has as a whole; gone with the object.
struct StrangeFolder {
  StrangeFolder() { fs::create_directories(path); }
  ~StrangeFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  const fs::path path =
      fs::temp_directory_path() / (L"St\u00FCcke \u266B \u97F3 " + std::to_wstring(process_id()));
};

}  // namespace

TEST_CASE("the job ends an engine with its host, whatever the engine does") {
  const fs::path said = fs::temp_directory_path() / ("engine." + std::to_string(process_id()));
  for (const std::string manner : {"works", "hangs", "stopped"}) {
    INFO(manner);
    fs::remove(said);
    const OwnedHandle host(_wspawnl(_P_NOWAIT, path_of(FAKE_HOST).c_str(), L"fake_host",
                                    path_of(manner).c_str(), said.c_str(), nullptr));
    REQUIRE(host);
    int engine = 0;
    REQUIRE(wait_for([&] { return static_cast<bool>(std::ifstream(said) >> engine); }));
    CHECK(runs(engine));
    TerminateProcess(as_handle(host.get()), 1);
    CHECK(wait_for([&] { return !runs(engine); }));
  }
  fs::remove(said);
}

TEST_CASE("an engine starts from a folder of any name") {
  const StrangeFolder folder;
  const fs::path engine = folder.path / L"engine \u00E4.exe";
  fs::copy_file(path_of(FAKE_ENGINE), engine);
  StreamConfig config = config_for("works");
  config.origin = fake_engine({text_of(engine)});
  StemStream stream;
  stream.prepare(config);
  stream.set_offline(true);
  const Audio in = noise(2, 50'000);
  CHECK(num_differing(bounce(stream, in), in, stream.latency_samples(), 0.5F, 0, 50'000) == 0);
  CHECK(becomes_ready(stream));
}

TEST_CASE("what an engine prints goes to the log, named in any letters") {
  const StrangeFolder folder;
  const fs::path log = folder.path / L"log \u00FC.txt";
  _wputenv_s(L"STEMLANE_ENGINE_LOG", log.c_str());
  {
    StemStream stream;
    stream.prepare(config_for("prints"));
    CHECK(wait_for([&] { return stream.status().state == EngineState::ready; }));
  }
  _wputenv_s(L"STEMLANE_ENGINE_LOG", L"");
  std::string line;
  CHECK(std::getline(std::ifstream(log), line));
  CHECK(line.starts_with("a line"));
}

TEST_CASE("the user's folders and the index in them may have any name") {
  const StrangeFolder folder;
  _wputenv_s(L"STEMLANE_TEST_FOLDER", folder.path.c_str());
  const fs::path found = user_folder({"STEMLANE_TEST_FOLDER", "AppData/Local"});
  CHECK(found == folder.path / "stemlane");
  fs::create_directories(found);
  std::ofstream(found / "models.index") << "mix\tM\t44100\t2048\t3584\t4096\tvocals\tother\n";
  CHECK(read_model_index(text_of(found / "models.index")).size() == 1);
  _wputenv_s(L"STEMLANE_TEST_FOLDER", L"relative");
  _wputenv_s(L"USERPROFILE", L"C:\\users\\one");
  CHECK(user_folder({"STEMLANE_TEST_FOLDER", "AppData/Local"}) ==
        fs::path("C:\\users\\one\\AppData/Local/stemlane"));
  _wputenv_s(L"STEMLANE_TEST_FOLDER", L"");
}

TEST_CASE("text becomes wide and comes back") {
  for (const std::string text : {"", "plain",
                                 "St\xC3\xBC"
                                 "cke \xE2\x99\xAB \xF0\x9F\x8E\xB5"})
    CHECK(to_utf8(to_wide(text)) == text);
  CHECK(to_wide("\xF0\x9F\x8E\xB5") == L"\xD83C\xDFB5");
}

TEST_CASE("a library takes what lies beside it, not its namesake beside the program or in System32") {
  wchar_t system[MAX_PATH];
  REQUIRE(GetSystemDirectoryW(system, MAX_PATH) != 0);
  const fs::path namesake = executable_path().parent_path() / "companion.dll";
  const fs::path in_system = fs::path(system) / "companion.dll";
  REQUIRE(fs::exists(namesake));
  fs::copy_file(namesake, in_system, fs::copy_options::overwrite_existing);
  std::string error;
  void* const library = open_library(path_of(COMPANION_USER), false, error);
  fs::remove(in_system);
  INFO(error);
  REQUIRE(library != nullptr);
  const auto which = reinterpret_cast<int (*)()>(function_of(library, "which_companion"));
  REQUIRE(which != nullptr);
  CHECK(which() == 1);
  CHECK(fs::equivalent(binary_around(reinterpret_cast<const void*>(which)), path_of(COMPANION_USER)));
  CHECK(open_library(namesake.parent_path() / "missing.dll", false, error) == nullptr);
  CHECK_FALSE(error.empty());
}

#ifdef REAL_ENGINE
TEST_CASE("without a Python, the engine itself says so and what to do") {
  const auto said = [] {
    StreamConfig config = config_for("works");
    config.origin = fake_engine({REAL_ENGINE});
    StemStream stream;
    stream.prepare(config);
    CHECK(wait_for([&] { return stream.status().state == EngineState::failed; }));
    return stream.status().text;
  };
  CHECK(said() ==
        "no Python for the engine was found; run 'stemlane plugin install', or set STEMLANE_PYTHON");
  const StrangeFolder folder;
  const fs::path python = folder.path / L"python.exe";
  _wputenv_s(L"STEMLANE_PYTHON", python.c_str());
  CHECK(said() == "no Python at " + text_of(python) + " (named in STEMLANE_PYTHON)");
  _wputenv_s(L"STEMLANE_PYTHON", L"");
}
#endif
