// SPDX-License-Identifier: GPL-3.0-or-later
// Looks the plugin's binary up among the loaded ones, then walks the bundle around it.
#include "processor/PluginFiles.h"

#include <dlfcn.h>

namespace stemlane {
namespace {

juce::File binaryFolder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&binaryFolder), &info) == 0) return {};
  // A loader may report the path as it was given: relative, or through links. Of an application
  // that was found through PATH it knows only the name.
  if (juce::String::fromUTF8(info.dli_fname).indexOfChar('/') < 0)
    return juce::File::getSpecialLocation(juce::File::currentExecutableFile).getParentDirectory();
  const juce::File binary =
      juce::File::getCurrentWorkingDirectory().getChildFile(juce::String::fromUTF8(info.dli_fname));
  return binary.getLinkedTarget().getParentDirectory();
}

juce::File userDataFolder() {
  const juce::String folder = juce::SystemStats::getEnvironmentVariable("XDG_DATA_HOME", {});
  if (juce::File::isAbsolutePath(folder)) return juce::File(folder);
  return juce::File::getSpecialLocation(juce::File::userHomeDirectory).getChildFile(".local/share");
}

}  // namespace

juce::File engineExecutable() {
  return binaryFolder().getChildFile("stemlane-engine");
}

std::vector<std::string> modelIndexPaths() {
  const juce::File folder = binaryFolder();
  return {
      // Contents/x86_64-linux/Stemlane.so of a VST3 bundle; LV2 and Standalone are flat.
      folder.getParentDirectory().getChildFile("Resources/models.index").getFullPathName().toStdString(),
      folder.getChildFile("models.index").getFullPathName().toStdString(),
      userDataFolder().getChildFile("stemlane/models/models.index").getFullPathName().toStdString(),
  };
}

}  // namespace stemlane
