// SPDX-License-Identifier: GPL-3.0-or-later
// Looks the plugin's binary up among the loaded ones, then walks the bundle around it.
#include "processor/PluginFiles.h"

#include <filesystem>

#include "host/user_folders.h"
#include "platform/library.h"
#include "platform/text_path.h"

namespace stemlane {
namespace {

juce::File binaryFolder() {
  const auto path =
      juce::String::fromUTF8(text_of(binary_around(reinterpret_cast<const void*>(&binaryFolder))).c_str());
  // A loader may report the path as it was given: relative, or through links. Of an application
  // that was found through PATH it knows only the name.
  if (!path.containsAnyOf("/\\"))
    return juce::File::getSpecialLocation(juce::File::currentExecutableFile).getParentDirectory();
  return juce::File::getCurrentWorkingDirectory().getChildFile(path).getLinkedTarget().getParentDirectory();
}

std::string usersModelIndex() {
  const std::filesystem::path folder = user_folder(contract::kUserData);
  return text_of(folder / contract::kModelsFolder / contract::kModelIndexFile);
}

}  // namespace

juce::File engineExecutable() {
#if JUCE_WINDOWS
  return binaryFolder().getChildFile("stemlane-engine.exe");
#else
  return binaryFolder().getChildFile("stemlane-engine");
#endif
}

bool hasOwnPython() {
  return binaryFolder().getSiblingFile(juce::String("Resources/") + contract::kBundledPython).exists();
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
