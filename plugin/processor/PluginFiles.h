// SPDX-License-Identifier: GPL-3.0-or-later
// Where the plugin's own files lie: found from the plugin's binary, never from the
// host's executable.
#pragma once

#include <juce_core/juce_core.h>

#include <string>
#include <vector>

namespace stemlane {

/// The engine's executable, beside the plugin's binary.
juce::File engineExecutable();

/// True if the engine runs a Python of the bundle's own (cpp/engine/python_home.h looks there first). It has
/// no FFmpeg: files are read and written by libsndfile.
bool hasOwnPython();

/// The lists of models: the one that came with the plugin, then the user's.
std::vector<std::string> modelIndexPaths();

}  // namespace stemlane
