// SPDX-License-Identifier: GPL-3.0-or-later
// Writes and reads the state as XML attributes; see PluginState.h for the format.
#include "processor/PluginState.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/contract.h"
#include "core/model_descriptor.h"
#include "processor/StemParameters.h"

namespace stemlane {
namespace {

// JUCE's parser recurses into nested elements, so untrusted states are bounded before they are
// parsed; 500 tags are far more than any version writes.
constexpr int kMaxTags = 500;

// Notes of version 0.1 on how the engine was; no settings, and not kept.
constexpr const char* kFormerNotes[] = {"engine_state", "engine_text", "latency_samples"};

// The text in JUCE's wrapping: a magic number, the length of the text and the text. JUCE reads what
// is there of a text that has been cut off; half a state would reset the other half.
std::optional<std::string> textOf(const void* data, int size) {
  constexpr int kHeadBytes = 8;
  constexpr juce::uint32 kMagic = 0x21324356;
  if (size < kHeadBytes) return std::nullopt;
  const auto* bytes = static_cast<const char*>(data);
  const std::size_t length = juce::ByteOrder::littleEndianInt(bytes + 4);
  if (juce::ByteOrder::littleEndianInt(bytes) != kMagic || length > kMostStateBytes ||
      length > static_cast<std::size_t>(size - kHeadBytes))
    return std::nullopt;
  std::string text(bytes + kHeadBytes, length);
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

// XML 1.0 has no way to write these, so a state that held them could not be read again.
bool isWritable(const juce::String& text) {
  for (auto character = text.getCharPointer(); !character.isEmpty();) {
    const auto code = static_cast<juce::uint32>(character.getAndAdvance());
    if ((code < 0x20 && code != '\t' && code != '\n' && code != '\r') || code == 0xFFFE || code == 0xFFFF ||
        (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF)
      return false;
  }
  return true;
}

bool isWritable(const juce::XmlElement& element) {
  if (element.isTextElement()) return isWritable(element.getText());
  if (!juce::XmlElement::isValidXmlName(element.getTagName())) return false;
  std::set<juce::String> names;
  for (int i = 0; i < element.getNumAttributes(); ++i) {
    const juce::String& name = element.getAttributeName(i);
    if (!juce::XmlElement::isValidXmlName(name) || !names.insert(name).second ||
        !isWritable(element.getAttributeValue(i)))
      return false;
  }
  for (const auto* child : element.getChildIterator())
    if (!isWritable(*child)) return false;
  return true;
}

// The parameter, if it is one that is saved: the engine's status is no setting.
const juce::AudioProcessorParameterWithID* settingOf(const juce::AudioProcessorParameter* parameter) {
  if (dynamic_cast<const StatusParameter*>(parameter) != nullptr) return nullptr;
  return dynamic_cast<const juce::AudioProcessorParameterWithID*>(parameter);
}

float savedValue(const juce::AudioProcessorParameterWithID& parameter, const juce::XmlElement& xml) {
  const juce::String& id = parameter.getParameterID();
  return xml.hasAttribute(id) ? valueOfText(parameter, xml.getStringAttribute(id))
                              : parameter.getDefaultValue();
}

constexpr const char* kEditorWidth = "editor_width";
constexpr const char* kEditorHeight = "editor_height";

// What is no size, or none that the editor can have, is none.
std::optional<EditorSize> savedEditorSize(const juce::XmlElement& xml) {
  const EditorSize size{xml.getIntAttribute(kEditorWidth), xml.getIntAttribute(kEditorHeight)};
  const bool isPossible = size.width >= kSmallestEditor.width && size.width <= kLargestEditor.width &&
                          size.height >= kSmallestEditor.height && size.height <= kLargestEditor.height;
  return isPossible ? std::optional(size) : std::nullopt;
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

std::unique_ptr<juce::XmlElement> parseState(const std::string& text) {
  const bool isText = text.size() <= kMostStateBytes && text.find('\0') == std::string::npos &&
                      juce::CharPointer_UTF8::isValidString(text.c_str(), static_cast<int>(text.size()));
  // No version writes declarations, by which a few bytes become many.
  if (!isText || text.find("<!") != std::string::npos || std::count(text.begin(), text.end(), '<') > kMaxTags)
    return nullptr;
  juce::XmlDocument document(juce::String::fromUTF8(text.c_str()));
  auto xml = document.getDocumentElement();
  // JUCE gives what it could read of a text that breaks off, and does not always say so.
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  if (xml == nullptr || document.getLastParseError().isNotEmpty() || text[last] != '>') return nullptr;
  return xml->hasTagName(contract::kStateTag) && isWritable(*xml) ? std::move(xml) : nullptr;
}

float valueOfText(const juce::AudioProcessorParameterWithID& parameter, const juce::String& text) {
  if (const auto* focus = dynamic_cast<const FocusParameter*>(&parameter))
    return focus->convertTo0to1(FocusParameter::valueOf(text, contract::kNeutralFocus));
  const auto* fader = dynamic_cast<const juce::AudioParameterFloat*>(&parameter);
  if (fader == nullptr) return parameter.getValueForText(text);
  return fader->convertTo0to1(faderValue(text, fader->convertFrom0to1(parameter.getDefaultValue())));
}

void writeState(juce::MemoryBlock& target, const SavedState& state,
                const juce::Array<juce::AudioProcessorParameter*>& parameters) {
  auto xml = state.unknown != nullptr ? *state.unknown : juce::XmlElement(contract::kStateTag);
  xml.setAttribute("version", contract::kStateVersion);
  xml.setAttribute(contract::kStateModel, state.model);
  for (const auto* parameter : parameters)
    if (const auto* setting = settingOf(parameter))
      xml.setAttribute(setting->getParameterID(), parameter->getCurrentValueAsText());
  xml.removeAttribute(kEditorWidth);
  xml.removeAttribute(kEditorHeight);
  if (state.editorSize) {
    xml.setAttribute(kEditorWidth, state.editorSize->width);
    xml.setAttribute(kEditorHeight, state.editorSize->height);
  }
  juce::AudioProcessor::copyXmlToBinary(xml, target);
}

std::optional<SavedState> readState(const void* data, int size,
                                    const juce::Array<juce::AudioProcessorParameter*>& parameters) {
  const auto text = textOf(data, size);
  if (!text) return std::nullopt;
  auto xml = parseState(*text);
  if (xml == nullptr) return std::nullopt;
  SavedState state;
  state.model = xml->getStringAttribute(contract::kStateModel).trim();
  if (state.model.getNumBytesAsUTF8() > kMaxNameBytes) return std::nullopt;
  for (auto* parameter : parameters)
    if (const auto* setting = settingOf(parameter))
      parameter->setValueNotifyingHost(savedValue(*setting, *xml));
  state.editorSize = savedEditorSize(*xml);
  for (const char* note : kFormerNotes) xml->removeAttribute(note);
  // The rest is what this version does not know: all that it knows is written over it.
  state.unknown = std::move(xml);
  return state;
}

}  // namespace stemlane
