// SPDX-License-Identifier: GPL-3.0-or-later
// A home of a test's own, where the plugin looks for the user's models.
#pragma once

#include <juce_core/juce_core.h>

#include <cstdlib>

/// A home for the time of a test: a folder and the variable that leads to it.
class Home {
 public:
  Home() : folder_(juce::File::createTempFile("home")) {
    folder_.createDirectory();
    before_ = juce::SystemStats::getEnvironmentVariable("XDG_DATA_HOME", {});
    setenv("XDG_DATA_HOME", folder_.getFullPathName().toRawUTF8(), 1);
  }
  ~Home() {
    if (before_.isEmpty())
      unsetenv("XDG_DATA_HOME");
    else
      setenv("XDG_DATA_HOME", before_.toRawUTF8(), 1);
    folder_.deleteRecursively();
  }
  const juce::File& folder() const { return folder_; }

 private:
  juce::File folder_;
  juce::String before_;
};
