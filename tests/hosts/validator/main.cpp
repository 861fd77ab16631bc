// SPDX-License-Identifier: GPL-3.0-or-later
// stemlane-validator BUNDLE [SEED] [ROUNDS]: runs all checks in an order that the seed
// decides; says which fail and why, and exits with 1 if any does.
// stemlane-validator --live BUNDLE MODEL STEM RATE BLOCK INPUT OUTPUT [SLOWER]: see live.h.
#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "checks.h"
#include "live.h"

namespace {

juce::File fileAt(const char* path) {
  return juce::File::getCurrentWorkingDirectory().getChildFile(path);
}

int live(char** arguments, double slower) {
  using namespace validator;
  try {
    Subject subject(fileAt(arguments[0]).getFullPathName());
    playLive(subject,
             {arguments[1], arguments[2], std::atof(arguments[3]), std::max(1, std::atoi(arguments[4])),
              fileAt(arguments[5]), fileAt(arguments[6]), slower});
    return 0;
  } catch (const Failure& failure) {
    std::cerr << failure.what() << "\n";
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace validator;
  const bool isLive = argc > 1 && juce::String(argv[1]) == "--live";
  if (isLive ? argc < 9 || argc > 10 : argc < 2 || argc > 4) {
    std::cerr << "use: stemlane-validator BUNDLE.vst3 [SEED] [ROUNDS]\n"
                 "     stemlane-validator --live BUNDLE.vst3 MODEL STEM RATE BLOCK INPUT OUTPUT [SLOWER]\n";
    return 2;
  }
  const juce::ScopedJuceInitialiser_GUI gui;
  if (isLive) return live(argv + 2, argc > 9 ? std::max(1.0, std::atof(argv[9])) : 1.0);
  const int firstSeed = argc > 2 ? std::atoi(argv[2]) : 1;
  const int numRounds = argc > 3 ? std::atoi(argv[3]) : 1;
  int numFailed = 0;
  try {
    Subject subject(fileAt(argv[1]).getFullPathName());
    for (int seed = firstSeed; seed < firstSeed + numRounds; ++seed) {
      std::vector<Check> checks;
      for (const auto& part :
           {parameterChecks(), busChecks(), stateChecks(), playingChecks(), lifeChecks(), threadChecks()})
        checks.insert(checks.end(), part.begin(), part.end());
      juce::Random order(seed);
      for (std::size_t left = checks.size(); left > 1; --left)
        std::swap(checks[left - 1], checks[static_cast<std::size_t>(order.nextInt(static_cast<int>(left)))]);
      for (const Check& check : checks) {
        juce::Random random(order.nextInt64());
        std::cout << check.name << std::flush;  // is the last word if it crashes
        const auto begin = juce::Time::getMillisecondCounterHiRes();
        std::string problem;
        try {
          check.run(subject, random);
        } catch (const Failure& failure) {
          problem = failure.what();
          ++numFailed;
        }
        const auto milliseconds = static_cast<int>(juce::Time::getMillisecondCounterHiRes() - begin);
        std::cout << ": " << (problem.empty() ? "ok" : "FAILED, " + problem) << " (" << milliseconds
                  << " ms, seed " << seed << ")" << std::endl;
      }
    }
  } catch (const Failure& failure) {
    std::cerr << failure.what() << "\n";
    return 1;
  }
  std::cout << (numFailed == 0 ? "all checks passed" : std::to_string(numFailed) + " failed") << "\n";
  return numFailed == 0 ? 0 : 1;
}
