// SPDX-License-Identifier: MIT
// Reads `models.index`: one model a line, fields separated by tabs, '#' for comments.
#include "host/model_index.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string_view>

#include "core/frame_length.h"

namespace stemlane {
namespace {

// Bounds that keep every later sum far from overflow: 10 minutes at 384 kHz.
constexpr int kMaxModelSamples = 230'400'000;

constexpr int kMaxTransformSamples = 65'536;

// A length counted in hops, where the hop has another length: whole hops exactly, the rest
// rounded half up.
int rescaled(std::int64_t num_samples, std::int64_t hop, std::int64_t new_hop) {
  const std::int64_t rest = num_samples % hop;
  return static_cast<int>(num_samples / hop * new_hop + (2 * rest * new_hop + hop) / (2 * hop));
}

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

std::optional<ModelDescriptor> read_line(std::string_view line) {
  const auto fields = split(line, '\t');
  if (fields.size() < 8 || fields[0].empty()) return std::nullopt;
  const auto rate = read_number(fields[2], 1000, 768'000);
  const auto stride = read_number(fields[3], 1, kMaxModelSamples);
  const auto delay = read_number(fields[4], 0, kMaxModelSamples);
  const auto allowance = read_number(fields[5], 0, kMaxModelSamples);
  // Indexes of older packages have no transforms: their engines resample.
  const bool has_frames = fields.size() >= 10;
  const auto fft = has_frames ? read_number(fields[8], 0, kMaxTransformSamples) : 0;
  const auto hop = has_frames ? read_number(fields[9], 0, kMaxTransformSamples) : 0;
  if (!rate || !stride || !delay || !allowance || !fft || !hop) return std::nullopt;
  if ((*fft == 0) != (*hop == 0) || *hop > *fft) return std::nullopt;

  ModelDescriptor model{std::string(fields[0]),
                        std::string(fields[1]),
                        static_cast<double>(*rate),
                        *stride,
                        *delay,
                        *allowance,
                        {},
                        stem_number(fields[7]),
                        *fft,
                        *hop};
  for (const std::string_view name : split(fields[6], ',')) {
    const int stem = stem_number(name);
    if (stem < 0 || stem == model.residual || model.has_stem(stem)) return std::nullopt;
    model.stems.push_back(stem);
  }
  if (model.residual < 0) return std::nullopt;
  return model;
}

}  // namespace

bool ModelDescriptor::has_stem(int stem) const noexcept {
  return stem == residual || std::find(stems.begin(), stems.end(), stem) != stems.end();
}

ModelDescriptor at_rate(const ModelDescriptor& model, double sample_rate) {
  if (model.fft_samples == 0 || sample_rate == model.sample_rate) return model;
  ModelDescriptor result = model;
  result.sample_rate = sample_rate;
  result.fft_samples = frame_samples(model.fft_samples, model.sample_rate, sample_rate);
  const auto hop = static_cast<std::int64_t>(model.hop_samples);
  const std::int64_t new_hop = std::max<std::int64_t>(1, result.fft_samples * hop / model.fft_samples);
  result.hop_samples = static_cast<int>(new_hop);
  result.stride_samples = rescaled(model.stride_samples, hop, new_hop);
  result.delay_samples = rescaled(model.delay_samples, hop, new_hop);
  result.compute_allowance_samples =
      static_cast<int>((model.compute_allowance_samples * new_hop + hop - 1) / hop);
  return result;
}

std::vector<ModelDescriptor> read_model_index(const std::string& path) {
  std::vector<ModelDescriptor> models;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    if (auto model = read_line(line)) models.push_back(std::move(*model));
  }
  return models;
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
