// SPDX-License-Identifier: GPL-3.0-or-later
// The colours of the editor, and how well they can be told apart.
#pragma once

#include <juce_graphics/juce_graphics.h>

#include <vector>

namespace stemlane {

namespace colours {
inline const juce::Colour background{0xff12151a};
inline const juce::Colour panel{0xff1b2027};
inline const juce::Colour outline{0xff343c48};
inline const juce::Colour groove{0xff0c0e12};
inline const juce::Colour raised{0xff272e38};
inline const juce::Colour text{0xffe8ebf0};
inline const juce::Colour faint{0xff97a1b0};
inline const juce::Colour focus{0xff7fc4ff};
inline const juce::Colour mute{0xffef6a62};
inline const juce::Colour solo{0xfff0c24b};
inline const juce::Colour good{0xff4cc38a};
inline const juce::Colour waiting{0xfff0c24b};
inline const juce::Colour late{0xffff8f40};
inline const juce::Colour bad{0xffef6a62};

/// Colour of a stem, by stem number.
juce::Colour stem(int number);
}  // namespace colours

/// Contrast of two opaque colours, 1 to 21, as WCAG 2.1 defines it ("contrast ratio",
/// https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio).
double contrastRatio(juce::Colour one, juce::Colour other) noexcept;

/// A text's colour and what it is drawn on.
struct TextOnGround {
  const char* where;
  juce::Colour text;
  juce::Colour ground;
};

/// Every pair that the editor writes with; whoever draws a new one adds it.
std::vector<TextOnGround> textsOnGrounds();

}  // namespace stemlane
