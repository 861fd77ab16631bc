// SPDX-License-Identifier: MIT
// The table of models and engine.conf as an attacker would write them.
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/contract.h"
#include "host/engine_configuration.h"
#include "host/model_index.h"
#include "host/small_file.h"
#include "platform/text_path.h"
#include "processes.h"

using namespace stemlane;

namespace {

std::string line(const std::string& name, const std::string& title) {
  return name + "\t" + title + "\t44100\t2048\t3584\t4096\tvocals\tother\n";
}

std::string temporary(const char* name) {
  return text_of(std::filesystem::temp_directory_path() / (name + std::to_string(process_id())));
}

}  // namespace

TEST_CASE("a model's name in an index is never a path, its title can be shown") {
  for (const char* name : {"../x", "/tmp/x", ".hidden", "a b", "Mix", "a\x1B", "\xC3\xA4", "-x"}) {
    CAPTURE(name);
    CHECK(parse_model_index(line(name, "T")).empty());
  }
  CHECK(parse_model_index(line(std::string(kMaxNameBytes + 1, 'a'), "T")).empty());
  CHECK(parse_model_index(line(std::string(kMaxNameBytes, 'a'), "T")).size() == 1);
  // Control characters, cut off, overlong, a surrogate, beyond Unicode, a continuation alone.
  for (const char* title : {"\x1B[2J", "\x7F", "\xC2\x85", "\xC3", "\xE2\x82", "\xC0\xAF", "\xE0\x80\xAF",
                            "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\x80", "\xFF"}) {
    CAPTURE(title);
    CHECK(parse_model_index(line("a", title)).empty());
  }
  for (const char* title : {"Stemlane mix",
                            "Gr\xC3\xBC\xC3\x9F"
                            "e",
                            "\xE2\x82\xAC", "\xF0\x9F\x8E\xB5", "\xC2\xA0", ""}) {
    CAPTURE(title);
    REQUIRE(parse_model_index(line("a", title)).size() == 1);
    CHECK(parse_model_index(line("a", title))[0].title == title);
  }
  CHECK(parse_model_index(line("a", std::string(1'000'000, 'x'))).empty());
}

TEST_CASE("an index of any length is read up to a bound") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += line("m" + std::to_string(i), "T");
  CHECK(parse_model_index(text).size() == 1000);
  const std::string path = temporary("long.index.");
  std::ofstream(path) << text << std::string(10'000'000, '#');
  CHECK(read_small_file(path, 1000).size() == 1000);
  CHECK(read_model_index(path).size() == 1000);
  std::remove(path.c_str());
}

TEST_CASE("engine.conf gives a path or nothing") {
  const auto configured_python = [](std::string_view text) { return configured(text, contract::kPythonKey); };
  CHECK(configured_python("# comment\npython=/usr/bin/python3\npython=/other\n") == "/usr/bin/python3");
  CHECK(configured_python("python=/opt/a b/python3\r\n") == "/opt/a b/python3");
  CHECK(configured_python("python=/no/end") == "/no/end");
  CHECK(configured_python(" python=/x\nPython=/x\npytho").empty());
  CHECK(configured_python("").empty());
  CHECK(configured_python("python=").empty());
  CHECK(configured_python("python=/x\x1B[2J\n").empty());
  CHECK(configured_python("python=/" + std::string(5000, 'x') + "\n").empty());
}

TEST_CASE("a setting takes one line of engine.conf and leaves the others") {
  constexpr std::string_view kKey = contract::kProviderKey;
  CHECK(with_setting("", kKey, "cuda") == "provider=cuda\n");
  CHECK(with_setting("# mine\npython=/x", kKey, "cuda") == "# mine\npython=/x\nprovider=cuda\n");
  CHECK(with_setting("provider=cpu\npython=/x\nprovider=auto\n", kKey, "cuda") ==
        "python=/x\nprovider=cuda\n");
  CHECK(with_setting("provider=cpu\r\npython=/x\r\n", kKey, "") == "python=/x\r\n");
  for (const char* name : contract::kProviders)
    CHECK(configured(with_setting("provider=old\n", kKey, name), kKey) == name);
}

TEST_CASE("engine.conf is written whole, in a folder that need not be there") {
  const std::filesystem::path folder = temporary("settings.");
  const std::filesystem::path file = folder / "new" / "engine.conf";
  CHECK(configured_in(file, contract::kProviderKey).empty());
  CHECK(set_configured(file, contract::kPythonKey, "/usr/bin/python3").empty());
  CHECK(set_configured(file, contract::kProviderKey, "openvino").empty());
  CHECK(set_configured(file, contract::kProviderKey, "cpu").empty());
  CHECK(read_small_file(file, 1000) == "python=/usr/bin/python3\nprovider=cpu\n");
  CHECK(std::distance(std::filesystem::directory_iterator(file.parent_path()), {}) == 1);
  // Where a file lies in the way of the folder nothing can be written, and the reason names the file.
  const std::string problem = set_configured(file / "engine.conf", contract::kProviderKey, "cpu");
  CHECK(problem.starts_with((file / "engine.conf").string() + " cannot be written: "));
  CHECK(set_configured({}, contract::kProviderKey, "cpu") ==
        "engine.conf cannot be written: you have no home");
  std::filesystem::remove_all(folder);
}

TEST_CASE("an engine.conf that cannot be read whole stays as it is") {
  namespace fs = std::filesystem;
  const fs::path folder = temporary("settings.");
  const fs::path file = folder / "engine.conf";
  fs::create_directories(folder);
  const auto size = static_cast<std::size_t>(contract::kLongestConfigurationBytes);
  const auto write = [](const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  };
  write(file, "#" + std::string(size, 'x'));
  CHECK(set_configured(file, contract::kProviderKey, "cpu") ==
        file.string() + " cannot be written: it has more than 65536 bytes; shorten it");
  CHECK(fs::file_size(file) == size + 1);
  write(file, std::string(size - 1, 'x') + "\n");  // as long as it may be
  CHECK(set_configured(file, contract::kProviderKey, "cpu").empty());
  CHECK(fs::file_size(file) == size + std::string("provider=cpu\n").size());
  fs::remove(file);
  fs::create_directory(file);
  CHECK(set_configured(file, contract::kProviderKey, "cpu") ==
        file.string() + " cannot be written: it is no plain file");
  fs::remove_all(folder);
}

#ifndef _WIN32  // links are for administrators there
TEST_CASE("an engine.conf that is a link stays one, and what it leads to keeps its permissions") {
  namespace fs = std::filesystem;
  const fs::path folder = temporary("settings.");
  const fs::path file = folder / "engine.conf";
  fs::create_directories(folder);
  const fs::path real = folder / "dotfiles" / "stemlane.conf";
  fs::create_directory(folder / "dotfiles");
  fs::create_symlink("dotfiles/stemlane.conf", folder / "link");
  fs::create_symlink(folder / "link", file);
  CHECK(set_configured(file, contract::kProviderKey, "cpu").empty());  // it leads to nothing yet
  fs::permissions(real, fs::perms::owner_read | fs::perms::owner_write);
  CHECK(set_configured(file, contract::kPythonKey, "/x").empty());
  CHECK(fs::is_symlink(file));
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(read_small_file(real, 1000) == "provider=cpu\npython=/x\n");
  CHECK(fs::status(real).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(std::distance(fs::directory_iterator(real.parent_path()), {}) == 1);
  fs::remove(folder / "link");
  fs::create_symlink("engine.conf", folder / "link");  // a ring
  CHECK(set_configured(file, contract::kPythonKey, "/x").starts_with(file.string() + " cannot be written: "));
  CHECK(fs::is_symlink(file));
  fs::remove_all(folder);
}
#endif
