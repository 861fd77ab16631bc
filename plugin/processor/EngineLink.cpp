// SPDX-License-Identifier: GPL-3.0-or-later
// See EngineLink.h.
#include "processor/EngineLink.h"

#include <algorithm>

#include "core/contract.h"
#include "host/user_folders.h"
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

bool namesPython(const juce::File& file) {
  const auto lines = linesOf(file);
  return std::any_of(lines.begin(), lines.end(),
                     [](const juce::String& line) { return line.startsWith(contract::kPythonKey); });
}

// The order of cpp/engine/python_home.cpp: the bundle's comes first.
juce::File configurationFile() {
  const juce::File own = engineExecutable()
                             .getParentDirectory()
                             .getSiblingFile("Resources")
                             .getChildFile(contract::kEngineConfigurationFile);
  if (namesPython(own)) return own;
  const std::string folder = text_of(user_folder(contract::kUserConfig));
  return folder.empty() ? juce::File()
                        : juce::File(juce::String::fromUTF8(folder.c_str()))
                              .getChildFile(contract::kEngineConfigurationFile);
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
  const juce::File file = configurationFile();
  juce::StringArray lines = linesOf(file);
  for (int i = lines.size(); --i >= 0;)
    if (lines[i].startsWith(contract::kPythonKey)) lines.remove(i);
  lines.insert(0, contract::kPythonKey + python.getFullPathName());
  lines.removeEmptyStrings();
  const bool isWritten = file != juce::File() && file.getParentDirectory().createDirectory().wasOk() &&
                         file.replaceWithText(lines.joinIntoString("\n") + "\n", false, false, "\n");
  return isWritten ? juce::String() : file.getFullPathName() + " cannot be written";
}

}  // namespace stemlane
