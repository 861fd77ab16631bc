// SPDX-License-Identifier: GPL-3.0-or-later
// Which Python a plugin without one of its own runs, and giving it another: the line in engine.conf.
#pragma once

#include <juce_core/juce_core.h>

#include <string>

namespace stemlane {

/// True if the engine's words say that it has found no Python, or none that starts.
bool lacksPython(const std::string& status);

/// The Python of a `stemlane` command that is installed for this user, looked up in PATH and in ~/.local/bin;
/// none if there is no such command.
juce::File installedPython();

/// Writes which Python the engine is to run: into the file that names one now, else into the user's. Empty,
/// or why it cannot be written.
juce::String linkPython(const juce::File& python);

}  // namespace stemlane
