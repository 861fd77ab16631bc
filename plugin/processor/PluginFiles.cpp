// SPDX-License-Identifier: GPL-3.0-or-later
// Looks the plugin's binary up among the loaded ones, then walks the bundle around it.
#include "processor/PluginFiles.h"

#include <dlfcn.h>

#include <filesystem>

#include "host/user_folders.h"

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

std::string usersModelIndex() {
  const std::filesystem::path folder = user_folder(contract::kUserData);
  return (folder / contract::kModelsFolder / contract::kModelIndexFile).string();
}

}  // namespace

juce::File engineExecutable() {
  return binaryFolder().getChildFile("stemlane-engine");
}

std::vector<std::string> modelIndexPaths() {
  const juce::File folder = binaryFolder();
  const juce::String name = contract::kModelIndexFile;
  return {
      // Contents/x86_64-linux/Stemlane.so of a VST3 bundle; LV2 and Standalone are flat.
      folder.getParentDirectory().getChildFile("Resources/" + name).getFullPathName().toStdString(),
      folder.getChildFile(name).getFullPathName().toStdString(),
      usersModelIndex(),
  };
}

}  // namespace stemlane
