// SPDX-License-Identifier: MIT
// Reads `models.index`: one model a line, fields separated by tabs, '#' for comments.
#include "host/model_index.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "host/small_file.h"
#include "platform/text_path.h"

namespace stemlane {
namespace {

// The longest line of an installed model has 120 bytes. More models than these no menu shows.
constexpr std::size_t kMaxIndexBytes = 1 << 18;
constexpr std::size_t kMaxModels = 1000;
constexpr std::size_t kMaxTitleBytes = 1000;

constexpr int kMaxTransformSamples = 65'536;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> read_number(std::string_view text, int low, int high) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high)
    return std::nullopt;
  return value;
}

// As manifests have them: the engine takes anything else for the path of a folder.
bool is_name(std::string_view text) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= kMaxNameBytes && plain(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

// Bytes of the UTF-8 character at the beginning of `text`; 0 if there is none, or one that cannot be shown.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || length > text.size()) return 0;
  unsigned code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr unsigned kLowest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < kLowest[length] || code > 0x10FFFF || code < 0xA0 || surrogate ? 0 : length;
}

bool is_title(std::string_view text) {
  if (text.size() > kMaxTitleBytes) return false;
  while (!text.empty()) {
    const std::size_t length = character_bytes(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::optional<ModelDescriptor> read_line(std::string_view line) {
  const auto fields = split(line, '\t');
  if (fields.size() <= contract::kFieldResidual || !is_name(fields[contract::kFieldName]) ||
      !is_title(fields[contract::kFieldTitle]))
    return std::nullopt;
  const auto rate = read_number(fields[contract::kFieldSampleRate], kLowestRate, kHighestRate);
  const auto stride = read_number(fields[contract::kFieldStrideSamples], 1, kMaxModelSamples);
  const auto delay = read_number(fields[contract::kFieldDelaySamples], 0, kMaxModelSamples);
  const auto allowance = read_number(fields[contract::kFieldComputeAllowanceSamples], 0, kMaxModelSamples);
  // Indexes of older packages have no transforms: their engines resample.
  const bool has_frames = fields.size() > contract::kFieldHopSamples;
  const auto fft = has_frames ? read_number(fields[contract::kFieldFftSamples], 0, kMaxTransformSamples) : 0;
  const auto hop = has_frames ? read_number(fields[contract::kFieldHopSamples], 0, kMaxTransformSamples) : 0;
  const bool has_focus = fields.size() > contract::kFieldTakesFocus;
  const auto focus = has_focus ? read_number(fields[contract::kFieldTakesFocus], 0, 1) : 0;
  if (!rate || !stride || !delay || !allowance || !fft || !hop || !focus) return std::nullopt;
  if ((*fft == 0) != (*hop == 0) || *hop > *fft) return std::nullopt;

  ModelDescriptor model{std::string(fields[contract::kFieldName]),
                        std::string(fields[contract::kFieldTitle]),
                        static_cast<double>(*rate),
                        *stride,
                        *delay,
                        *allowance,
                        {},
                        stem_number(fields[contract::kFieldResidual]),
                        *fft,
                        *hop,
                        *focus == 1};
  for (const std::string_view name : split(fields[contract::kFieldStems], ',')) {
    const int stem = stem_number(name);
    if (stem < 0 || stem == model.residual || model.has_stem(stem)) return std::nullopt;
    model.stems.push_back(stem);
  }
  if (model.residual < 0) return std::nullopt;
  return model;
}

}  // namespace

std::vector<ModelDescriptor> parse_model_index(std::string_view text) {
  std::vector<ModelDescriptor> models;
  for (std::string_view line : split(text, '\n')) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    if (auto model = read_line(line)) models.push_back(std::move(*model));
    if (models.size() == kMaxModels) break;
  }
  return models;
}

std::vector<ModelDescriptor> read_model_index(const std::string& path) {
  return parse_model_index(read_small_file(path_of(path), kMaxIndexBytes));
}

std::vector<ModelDescriptor> read_model_indexes(const std::vector<std::string>& paths) {
  std::vector<ModelDescriptor> models;
  for (const std::string& path : paths)
    for (ModelDescriptor& model : read_model_index(path))
      if (find_model(models, model.name) == nullptr) models.push_back(std::move(model));
  return models;
}

const ModelDescriptor* find_model(const std::vector<ModelDescriptor>& models,
                                  const std::string& name) noexcept {
  const auto found = std::find_if(models.begin(), models.end(),
                                  [&](const ModelDescriptor& model) { return model.name == name; });
  return found == models.end() ? nullptr : &*found;
}

}  // namespace stemlane
