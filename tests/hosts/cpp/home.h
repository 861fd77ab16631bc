// SPDX-License-Identifier: GPL-3.0-or-later
// A home of a test's own, where the plugin looks for the user's models and keeps recordings.
#pragma once

#include <juce_core/juce_core.h>

#include <cstdlib>
#include <map>

/// A home for the time of a test: a folder and the variables that lead to it.
class Home {
 public:
  Home() : folder_(juce::File::createTempFile("home")) {
    folder_.createDirectory();
    for (const char* name : {"XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"}) {
      before_[name] = juce::SystemStats::getEnvironmentVariable(name, {});
      setenv(name, folder_.getFullPathName().toRawUTF8(), 1);
    }
  }
  ~Home() {
    for (const auto& [name, value] : before_) {
      if (value.isEmpty())
        unsetenv(name);
      else
        setenv(name, value.toRawUTF8(), 1);
    }
    folder_.deleteRecursively();
  }
  const juce::File& folder() const { return folder_; }

 private:
  juce::File folder_;
  std::map<const char*, juce::String> before_;
};
