// SPDX-License-Identifier: GPL-3.0-or-later
// See RememberedLoads.h.
#include "processor/RememberedLoads.h"

#include <juce_core/juce_core.h>

#include "host/user_folders.h"
#include "platform/text_path.h"

namespace stemlane {
namespace {

constexpr const char* kTag = "STEMLANE_LOADS";
constexpr juce::int64 kMostBytes = 1 << 15;
constexpr int kMostModels = 200;
// A core is a whole one; some networks compute on several.
constexpr double kHighest = 64.0;

juce::File loadsFile() {
  const std::string folder = text_of(user_folder(contract::kUserCache));
  return folder.empty() ? juce::File()
                        : juce::File(juce::String::fromUTF8(folder.c_str())).getChildFile("loads.xml");
}

std::unique_ptr<juce::XmlElement> readLoads() {
  const juce::File file = loadsFile();
  if (!file.existsAsFile() || file.getSize() > kMostBytes) return nullptr;
  return juce::parseXMLIfTagMatches(file, kTag);
}

juce::XmlElement* entryOf(juce::XmlElement& loads, const std::string& model) {
  return loads.getChildByAttribute("model", juce::String::fromUTF8(model.c_str()));
}

}  // namespace

double rememberedLoad(const std::string& model) {
  const auto loads = readLoads();
  const auto* entry = loads != nullptr ? entryOf(*loads, model) : nullptr;
  const double load = entry != nullptr ? entry->getDoubleAttribute("load") : 0.0;
  return load > 0.0 && load <= kHighest ? load : 0.0;
}

void rememberLoad(const std::string& model, double load) {
  const juce::File file = loadsFile();
  if (file == juce::File() || !(load > 0.0 && load <= kHighest)) return;
  auto loads = readLoads();
  if (loads == nullptr || loads->getNumChildElements() >= kMostModels)
    loads = std::make_unique<juce::XmlElement>(kTag);
  auto* entry = entryOf(*loads, model);
  if (entry == nullptr) {
    entry = loads->createNewChildElement("run");
    entry->setAttribute("model", juce::String::fromUTF8(model.c_str()));
  }
  entry->setAttribute("load", load);
  if (file.getParentDirectory().createDirectory().wasOk()) loads->writeTo(file);
}

double loadOf(StemlaneProcessor& processor) {
  const EngineFigures figures = processor.figures();
  return figures.numSteps > 0 ? figures.load : rememberedLoad(processor.modelName());
}

void rememberLoadOf(StemlaneProcessor& processor) {
  constexpr int kEnoughSteps = 100;
  const EngineFigures figures = processor.figures();
  if (figures.numSteps >= kEnoughSteps) rememberLoad(processor.modelName(), figures.load);
}

}  // namespace stemlane
