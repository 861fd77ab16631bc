// SPDX-License-Identifier: GPL-3.0-or-later
// Writes and reads the state as XML attributes; see PluginState.h for the format.
#include "processor/PluginState.h"

#include <utility>

#include "core/contract.h"

namespace stemlane {
namespace {

// JUCE's wrapping is a magic number, the length of the text and the text. JUCE reads what
// is there of a text that has been cut off; half a state would reset the other half.
bool isComplete(const void* data, int size) {
  constexpr int kHeadBytes = 8;
  if (size < kHeadBytes) return false;
  const auto length = juce::ByteOrder::littleEndianInt(static_cast<const char*>(data) + 4);
  return length <= static_cast<juce::uint32>(size - kHeadBytes);
}

}  // namespace

const char* stateName(EngineState state) noexcept {
  switch (state) {
    case EngineState::starting:
      return "starting";
    case EngineState::ready:
      return "ready";
    case EngineState::late:
      return "late";
    case EngineState::failed:
      return "failed";
  }
  return "failed";
}

void writeState(juce::MemoryBlock& target, const SavedState& state,
                const juce::Array<juce::AudioProcessorParameter*>& parameters, const StateNotes& notes) {
  auto xml = state.unknown != nullptr ? *state.unknown : juce::XmlElement(contract::kStateTag);
  xml.setAttribute("version", contract::kStateVersion);
  xml.setAttribute(contract::kStateModel, state.model);
  for (const auto* parameter : parameters)
    if (const auto* named = dynamic_cast<const juce::AudioProcessorParameterWithID*>(parameter))
      xml.setAttribute(named->getParameterID(), parameter->getCurrentValueAsText());
  xml.setAttribute(contract::kStateEngineState, stateName(notes.engineState));
  xml.setAttribute(contract::kStateEngineText, notes.engineText);
  xml.setAttribute(contract::kStateLatencySamples, notes.latencySamples);
  juce::AudioProcessor::copyXmlToBinary(xml, target);
}

std::optional<SavedState> readState(const void* data, int size,
                                    const juce::Array<juce::AudioProcessorParameter*>& parameters) {
  if (!isComplete(data, size)) return std::nullopt;
  auto xml = juce::AudioProcessor::getXmlFromBinary(data, size);
  if (xml == nullptr || !xml->hasTagName(contract::kStateTag)) return std::nullopt;
  for (auto* parameter : parameters) {
    const auto* named = dynamic_cast<const juce::AudioProcessorParameterWithID*>(parameter);
    if (named == nullptr) continue;
    const juce::String& id = named->getParameterID();
    parameter->setValueNotifyingHost(xml->hasAttribute(id)
                                         ? parameter->getValueForText(xml->getStringAttribute(id))
                                         : parameter->getDefaultValue());
  }
  SavedState state;
  state.model = xml->getStringAttribute(contract::kStateModel).trim();
  // The rest is what this version does not know: all that it knows is written over it.
  state.unknown = std::move(xml);
  return state;
}

}  // namespace stemlane
