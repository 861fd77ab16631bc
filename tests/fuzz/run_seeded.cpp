// SPDX-License-Identifier: MIT
// Runs the fuzz target for a while on programs that grow out of one seed: random ones, and
// kept ones with bytes changed, removed, doubled and spliced. The same seed gives the same
// programs.
//
//     TARGET_seeded SECONDS [SEED]
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "fuzz_bytes.h"

/// What the target does at the end, beside programs; returns the exit status.
int fuzz_last(double seconds);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Clock = std::chrono::steady_clock;
using Program = std::vector<std::uint8_t>;

Program mutated(const std::vector<Program>& kept, std::mt19937& generator) {
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(generator);
  };
  Program program = kept[below(kept.size())];
  for (std::size_t edits = 1 + below(8); edits > 0; --edits) {
    if (program.empty()) break;
    const auto at = static_cast<std::ptrdiff_t>(below(program.size()));
    switch (below(4)) {
      case 0:
        program[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(below(256));
        break;
      case 1:
        program.erase(program.begin() + at);
        break;
      case 2:
        program.insert(program.begin() + at, static_cast<std::uint8_t>(below(256)));
        break;
      default: {
        const Program& other = kept[below(kept.size())];
        if (other.empty()) break;
        const auto cut = static_cast<std::ptrdiff_t>(below(other.size()));
        program.insert(program.begin() + at, other.begin() + cut, other.end());
        if (program.size() > 2000) program.resize(2000);
      }
    }
  }
  return program;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 20.0;
  const auto seed = static_cast<unsigned>(argc > 2 ? std::atoi(argv[2]) : 1);
  std::mt19937 generator(seed);
  std::vector<Program> kept;
  long num_runs = 0;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    const bool fresh = kept.size() < 32 || generator() % 4 == 0;
    const Program program =
        fresh ? random_attack(static_cast<unsigned>(generator()), static_cast<int>(1 + generator() % 800))
              : mutated(kept, generator);
    LLVMFuzzerTestOneInput(program.data(), program.size());
    ++num_runs;
    if (kept.size() < 256)
      kept.push_back(program);
    else
      kept[generator() % kept.size()] = program;
  }
  std::printf("fuzz: %ld programs in %.0f s, seed %u\n", num_runs, seconds, seed);
  return fuzz_last(seconds);
}
