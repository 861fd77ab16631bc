// SPDX-License-Identifier: MIT
// Gains as people and scripts write them, in any locale. units.py reads the same.
#pragma once

#include <algorithm>
#include <cmath>
#include <locale>
#include <optional>
#include <sstream>
#include <string>

#include "processor/effective_gains.h"

namespace stemlane {

inline std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

/// dB of a text in UTF-8: "-6", "+3,5 dB", "-inf", "-\u221e", "mute", "off"; with a hyphen or a
/// Unicode minus, a point or a comma, no-break spaces or others around it. Limited to the fader's
/// range; nothing if it is no gain. The tests compare it with units.py: tests/support/gain_texts.tsv.
inline std::optional<float> gainFromText(std::string text) {
  text = replaced(replaced(std::move(text), "\u2212", "-"), "\u221e", "inf");
  text = replaced(replaced(std::move(text), "\u00a0", " "), "\u202f", " ");
  for (char& character : text)
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  const auto trim = [&] {
    constexpr const char* kSpaces = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpaces);
    if (first == std::string::npos) return text.clear();
    text = text.substr(first, text.find_last_not_of(kSpaces) + 1 - first);
  };
  trim();
  if (text.ends_with("db")) text.resize(text.size() - 2);
  trim();
  if (std::ranges::find(contract::kSilenceWords, text) != contract::kSilenceWords.end()) return kSilenceDb;
  std::replace(text.begin(), text.end(), ',', '.');
  if (text.find_first_not_of("+-.0123456789e") != std::string::npos) return std::nullopt;
  std::istringstream stream(text);
  stream.imbue(std::locale::classic());
  double gainDb = 0.0;
  stream >> gainDb;
  // A number that is too large for its type is one, too: the stream gives the largest.
  const bool overflow = stream.fail() && std::abs(gainDb) > 1.0;
  if (text.empty() || (stream.fail() && !overflow) || (!stream.eof() && stream.peek() != EOF))
    return std::nullopt;
  return static_cast<float>(std::min<double>(kHighestDb, std::max<double>(kSilenceDb, gainDb)));
}

}  // namespace stemlane
