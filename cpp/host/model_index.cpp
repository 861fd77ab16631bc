// SPDX-License-Identifier: MIT
// Reads `models.index`: one model a line, fields separated by tabs, '#' for comments.
#include "host/model_index.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string_view>

namespace stemlane {
namespace {

// Bounds that keep every later sum far from overflow: 10 minutes at 384 kHz.
constexpr int kMaxModelSamples = 230'400'000;

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
  if (fields.size() < contract::kNumFields || fields[contract::kFieldName].empty()) return std::nullopt;
  const auto rate = read_number(fields[contract::kFieldSampleRate], 1000, 768'000);
  const auto stride = read_number(fields[contract::kFieldStrideSamples], 1, kMaxModelSamples);
  const auto delay = read_number(fields[contract::kFieldDelaySamples], 0, kMaxModelSamples);
  const auto allowance = read_number(fields[contract::kFieldComputeAllowanceSamples], 0, kMaxModelSamples);
  if (!rate || !stride || !delay || !allowance) return std::nullopt;

  ModelDescriptor model{std::string(fields[contract::kFieldName]),
                        std::string(fields[contract::kFieldTitle]),
                        static_cast<double>(*rate),
                        *stride,
                        *delay,
                        *allowance,
                        {},
                        stem_number(fields[contract::kFieldResidual])};
  for (const std::string_view name : split(fields[contract::kFieldStems], ',')) {
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
