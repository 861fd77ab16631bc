// SPDX-License-Identifier: MIT
// The target of libFuzzer, and of run_seeded.cpp where there is no clang.
#include <cstdio>
#include <cstdlib>

#include "hostile_engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string problem = attack({data, data + size});
  if (problem.empty()) return 0;
  std::fprintf(stderr, "fuzz: %s\n", problem.c_str());
  std::abort();
}
