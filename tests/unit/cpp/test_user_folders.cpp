// SPDX-License-Identifier: MIT
// The user's folders: the same rule as in Python, see tests/unit/python/test_contract.py.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "host/user_folders.h"

using namespace stemlane;

namespace {

constexpr contract::UserFolder kFolder = {"STEMLANE_TEST_FOLDER", ".local/share"};

std::string found() {
  return user_folder(kFolder).string();
}

}  // namespace

TEST_CASE("the user's folder is the variable's, or lies in the home folder") {
  setenv("HOME", "/home/one", 1);
  unsetenv("STEMLANE_TEST_FOLDER");
  CHECK(found() == "/home/one/.local/share/stemlane");
  setenv("STEMLANE_TEST_FOLDER", "/data", 1);
  CHECK(found() == "/data/stemlane");
  for (const char* unusable : {"", "data", "./data"}) {
    setenv("STEMLANE_TEST_FOLDER", unusable, 1);
    CHECK(found() == "/home/one/.local/share/stemlane");
  }
  unsetenv("STEMLANE_TEST_FOLDER");
}
