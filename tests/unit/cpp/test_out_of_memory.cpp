// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "host/out_of_memory.h"

using namespace stemlane;

TEST_CASE("want of memory is told from other failures by their words") {
  for (const char* said : {"MemoryError", "ImportError: Exception caught: std::bad_alloc",
                           "ImportError: libx.so: failed to map segment from shared object",
                           "OSError: [Errno 12] Cannot allocate memory",
                           "network.onnx: the network failed: Failed to allocate memory for requested buffer",
                           "OpenBLAS error: Memory allocation still failed after 10 retries, giving up."})
    CHECK((says_out_of_memory(said) && is_out_of_memory(said)));
  for (const char* said : {"", "model 'x' is not installed", "ModuleNotFoundError: No module named 'numpy'"})
    CHECK_FALSE((says_out_of_memory(said) || is_out_of_memory(said)));
  CHECK(out_of_memory_text("") ==
        "there is not enough memory for the engine: close other programs, or choose a smaller model");
  CHECK(out_of_memory_text("MemoryError").ends_with(" smaller model (MemoryError)"));
}
