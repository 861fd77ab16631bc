// SPDX-License-Identifier: GPL-3.0-or-later
// What people type as a gain means the same to the plugin and to Python: test_units.py reads the same file.
#include <catch2/catch.hpp>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "processor/gain_text.h"

using namespace stemlane;

namespace {

std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    const char escaped = text[++i];
    result += escaped == 't' ? '\t' : escaped == 'n' ? '\n' : escaped == 'r' ? '\r' : '\0';
  }
  return result;
}

}  // namespace

TEST_CASE("texts mean the gains that the table of both languages says") {
  std::ifstream file(GAIN_TEXTS);
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t tab = line.find('\t');
    REQUIRE(tab != std::string::npos);
    const std::string expected = line.substr(0, tab);
    INFO("\"" << line.substr(tab + 1) << "\" should be " << expected);
    const std::optional<float> found = gainFromText(unescaped(line.substr(tab + 1)));
    CHECK(found.has_value() == (expected != "none"));
    if (found && expected != "none") CHECK(*found == std::stof(expected));
    ++count;
  }
  CHECK(count > 100);
}
