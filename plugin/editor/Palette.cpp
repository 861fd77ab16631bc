// SPDX-License-Identifier: GPL-3.0-or-later
// See Palette.h.
#include "editor/Palette.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/stems.h"

namespace stemlane {

juce::Colour colours::stem(int number) {
  static const std::array<juce::Colour, kNumStems> all = {juce::Colour{0xffff6f91}, juce::Colour{0xffffab4a},
                                                          juce::Colour{0xff9b82ff}, juce::Colour{0xff57c98a},
                                                          juce::Colour{0xff4fb4ff}, juce::Colour{0xff9fb0c3}};
  return all[static_cast<std::size_t>(number)];
}

namespace {

// "relative luminance" of the same text.
double luminance(juce::Colour colour) noexcept {
  const auto linear = [](double channel) {
    return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(colour.getFloatRed()) + 0.7152 * linear(colour.getFloatGreen()) +
         0.0722 * linear(colour.getFloatBlue());
}

}  // namespace

double contrastRatio(juce::Colour one, juce::Colour other) noexcept {
  const double a = luminance(one) + 0.05;
  const double b = luminance(other) + 0.05;
  return std::max(a, b) / std::min(a, b);
}

std::vector<TextOnGround> textsOnGrounds() {
  using namespace colours;
  std::vector<TextOnGround> all = {
      {"name of the program", text, background},
      {"status", text, background},
      {"figures", faint, background},
      {"name of a strip", text, panel},
      {"scale, caption, name of a strip that is not heard", faint, panel},
      {"value of a fader, field", text, groove},
      {"value of a fader that is not heard", faint, groove},
      {"button", text, raised},
      {"menu", text, panel},
      {"menu's second column", faint, panel},
      {"chosen line of a menu", text, outline},
      {"muted", background, mute},
      {"soloed", background, solo},
      {"chosen button", background, focus},
      {"axis of the picture", faint, groove},
      {"clipped", background, bad},
      {"what has failed, on a page", bad, panel},
  };
  return all;
}

}  // namespace stemlane
