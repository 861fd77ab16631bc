// SPDX-License-Identifier: MIT
// Linux: a mapping that is given back at once tells whether the limits leave room.
#include "host/engine_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>

namespace stemlane {
namespace {

// Of Python, C++, the dynamic loader, the C library, and onnxruntime.
constexpr std::array kWords = {"MemoryError", "bad_alloc", "failed to map segment", "annot allocate memory",
                               "ailed to allocate"};
// With so little left after a failure, that was the reason, whatever the words.
constexpr std::size_t kShortBytes = std::size_t{32} << 20;

}  // namespace

bool can_map(std::size_t num_bytes) noexcept {
  void* memory = mmap(nullptr, num_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  munmap(memory, num_bytes);
  return true;
}

bool is_want_of_memory(const std::string& said) {
  const auto is_in = [&](const char* word) { return said.find(word) != std::string::npos; };
  return std::any_of(kWords.begin(), kWords.end(), is_in) || !can_map(kShortBytes);
}

std::string want_of_memory(const std::string& said) {
  return "there is not enough memory for the engine: close other programs, or choose a smaller model" +
         (said.empty() ? std::string() : " (" + said + ")");
}

}  // namespace stemlane
