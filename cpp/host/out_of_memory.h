// SPDX-License-Identifier: MIT
// What an engine says when the system has not enough memory for it: libraries report
// that in many ways, and some end the process without a word.
#pragma once

#include <cstddef>
#include <string>

namespace stemlane {

/// Less than any engine takes: Python, numpy, onnxruntime and the smallest model.
inline constexpr std::size_t kLeastEngineBytes = std::size_t{160} << 20;

/// True if the words of a failure, in whichever process, are those of want of memory.
bool says_out_of_memory(const std::string& said);

/// True if this process, an engine that failed with the words `said`, did so because it ran out of memory.
bool is_out_of_memory(const std::string& said);

/// One line with the reason and the remedy; `said` is the failure's own text, or empty.
std::string out_of_memory_text(const std::string& said);

}  // namespace stemlane
