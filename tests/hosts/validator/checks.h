// SPDX-License-Identifier: GPL-3.0-or-later
// The checks of the validator. Each makes instances of its own, throws Failure with the
// reason, and takes whatever it varies from the generator, so that a seed says it all.
#pragma once

#include <vector>

#include "subject.h"

namespace validator {

struct Check {
  const char* name;
  void (*run)(Subject& subject, juce::Random& random);
};

std::vector<Check> parameterChecks();
std::vector<Check> busChecks();
std::vector<Check> stateChecks();
std::vector<Check> playingChecks();
std::vector<Check> lifeChecks();
std::vector<Check> threadChecks();

}  // namespace validator
