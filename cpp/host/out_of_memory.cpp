// SPDX-License-Identifier: MIT
// By its words, and by what is left.
#include "host/out_of_memory.h"

#include <algorithm>
#include <array>

#include "platform/process.h"

namespace stemlane {
namespace {

// Of Python, C++, the dynamic loader, the C library, onnxruntime, and OpenBLAS.
constexpr std::array kWords = {"MemoryError",           "bad_alloc",
                               "failed to map segment", "annot allocate memory",
                               "ailed to allocate",     "Memory allocation still failed"};
// With so little left after a failure, that was the reason, whatever the words.
constexpr std::size_t kShortBytes = std::size_t{32} << 20;

}  // namespace

bool says_out_of_memory(const std::string& said) {
  const auto is_in = [&](const char* word) { return said.find(word) != std::string::npos; };
  return std::any_of(kWords.begin(), kWords.end(), is_in);
}

bool is_out_of_memory(const std::string& said) {
  return says_out_of_memory(said) || !can_map(kShortBytes);
}

std::string out_of_memory_text(const std::string& said) {
  return "there is not enough memory for the engine: close other programs, or choose a smaller model" +
         (said.empty() ? std::string() : " (" + said + ")");
}

}  // namespace stemlane
