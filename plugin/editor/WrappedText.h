// SPDX-License-Identifier: GPL-3.0-or-later
// Text in as many lines as it needs: what is said in words is never cut.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

namespace stemlane {

/// Lines of at most `width` pixels, in the size that the pages are written in. They break at spaces alone, so
/// that an address stays whole; a word that is wider than a line, as a path may be, breaks after a slash if
/// it has one. A text of more than a thousand characters is nobody's message and ends there.
juce::StringArray wrappedLines(const juce::String& text, int width);

/// Height of these lines, in pixels; 0 for no text.
int wrappedHeight(const juce::String& text, int width);

/// Draws them from the top left of `area`, which is as wide as they may be.
void drawWrapped(juce::Graphics& g, const juce::String& text, juce::Rectangle<int> area, juce::Colour colour);

}  // namespace stemlane
