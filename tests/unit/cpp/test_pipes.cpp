// SPDX-License-Identifier: MIT
// Files that are none: POSIX only.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "host/model_index.h"
#include "processes.h"

using namespace stemlane;

TEST_CASE("pipes and devices are not read") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("pipe.index." + std::to_string(process_id()))).string();
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  CHECK(read_model_index(path).empty());  // would wait for ever
  std::remove(path.c_str());
  CHECK(read_model_index("/dev/zero").empty());
  CHECK(read_model_index("/").empty());
}
