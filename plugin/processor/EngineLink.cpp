// SPDX-License-Identifier: GPL-3.0-or-later
// See EngineLink.h.
#include "processor/EngineLink.h"

#include <filesystem>

#include "core/contract.h"
#include "host/engine_configuration.h"
#include "platform/text_path.h"
#include "processor/PluginFiles.h"

namespace stemlane {
namespace {

constexpr juce::int64 kMostBytes = 1 << 16;

juce::StringArray linesOf(const juce::File& file) {
  juce::StringArray lines;
  if (file.existsAsFile() && file.getSize() <= kMostBytes) lines.addLines(file.loadFileAsString());
  return lines;
}

// The order of cpp/engine/python_home.cpp: the bundle's comes first.
std::filesystem::path configurationFile() {
  const auto engine = path_of(engineExecutable().getFullPathName().toStdString());
  const auto own = engine.parent_path().parent_path() / "Resources" / contract::kEngineConfigurationFile;
  return configured_in(own, contract::kPythonKey).empty() ? user_engine_configuration() : own;
}

}  // namespace

bool lacksPython(const std::string& status) {
  return status.find("no Python") != std::string::npos || status.find("Python from ") != std::string::npos;
}

juce::File installedPython() {
  juce::StringArray folders;
  folders.addTokens(juce::SystemStats::getEnvironmentVariable("PATH", {}), ":", {});
  folders.add(juce::File::getSpecialLocation(juce::File::userHomeDirectory)
                  .getChildFile(".local/bin")
                  .getFullPathName());
  for (const juce::String& folder : folders) {
    if (!juce::File::isAbsolutePath(folder)) continue;
    const juce::String head = linesOf(juce::File(folder).getChildFile("stemlane"))[0];
    const juce::String interpreter = head.startsWith("#!") ? head.substring(2).trim() : juce::String();
    if (juce::File::isAbsolutePath(interpreter) && juce::File(interpreter).existsAsFile())
      return juce::File(interpreter);
  }
  return {};
}

juce::String linkPython(const juce::File& python) {
  const std::string problem =
      set_configured(configurationFile(), contract::kPythonKey, python.getFullPathName().toStdString());
  return juce::String::fromUTF8(problem.c_str());
}

}  // namespace stemlane
