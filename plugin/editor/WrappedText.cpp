// SPDX-License-Identifier: GPL-3.0-or-later
// See WrappedText.h.
#include "editor/WrappedText.h"

#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

constexpr float kFontHeight = 13.0F;
constexpr int kLineHeight = 17;
constexpr int kMostCharacters = 1000;

/// How many of a word's characters make a line of their own.
int lineOf(const juce::String& word, const juce::Font& font, float width) {
  int length = 1;
  while (length < word.length() && StemlaneLook::textWidth(font, word.substring(0, length + 1)) <= width)
    ++length;
  const int slash = word.substring(0, length).lastIndexOfAnyOf("/\\");
  return length < word.length() && slash > 0 ? slash + 1 : length;
}

}  // namespace

juce::StringArray wrappedLines(const juce::String& text, int width) {
  const juce::Font font = StemlaneLook::font(kFontHeight);
  const auto widest = static_cast<float>(width);
  juce::String whole = text.substring(0, kMostCharacters);
  if (text.length() > kMostCharacters) whole << juce::String::fromUTF8("\u2026");
  juce::StringArray lines;
  juce::String line;
  for (juce::String word : juce::StringArray::fromTokens(whole, " ", {})) {
    const juce::String longer = line.isEmpty() ? word : line + " " + word;
    if (StemlaneLook::textWidth(font, longer) <= widest) {
      line = longer;
      continue;
    }
    if (line.isNotEmpty()) lines.add(line);
    while (word.length() > 1 && StemlaneLook::textWidth(font, word) > widest) {
      const int length = lineOf(word, font, widest);
      lines.add(word.substring(0, length));
      word = word.substring(length);
    }
    line = word;
  }
  if (line.isNotEmpty()) lines.add(line);
  return lines;
}

int wrappedHeight(const juce::String& text, int width) {
  return kLineHeight * wrappedLines(text, width).size();
}

void drawWrapped(juce::Graphics& g, const juce::String& text, juce::Rectangle<int> area,
                 juce::Colour colour) {
  g.setColour(colour);
  g.setFont(StemlaneLook::font(kFontHeight));
  for (const juce::String& line : wrappedLines(text, area.getWidth()))
    g.drawText(line, area.removeFromTop(kLineHeight), juce::Justification::centredLeft, false);
}

}  // namespace stemlane
