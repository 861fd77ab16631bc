// SPDX-License-Identifier: MIT
// The two files the host's side and the engine read themselves: the table of models and engine.conf, of any
// words and bytes. What they let through is what the rest relies on.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "host/engine_configuration.h"
#include "host/model_index.h"

namespace {

// Bytes alone would hardly ever make a line that is understood.
constexpr std::string_view kWords[] = {"\t",
                                       "\t",
                                       "\t",
                                       "\n",
                                       "\n",
                                       "\r\n",
                                       ",",
                                       "#",
                                       "mix",
                                       "live",
                                       "Stemlane mix",
                                       "44100",
                                       "48000",
                                       "2048",
                                       "0",
                                       "-1",
                                       "1",
                                       "99999999999",
                                       "230400000",
                                       "vocals",
                                       "drums",
                                       "bass",
                                       "guitar",
                                       "piano",
                                       "other",
                                       "accompaniment",
                                       "python=",
                                       "/usr/bin/python3",
                                       "../",
                                       "\xC3\xA4",
                                       "\xF0\x9F\x8E\xB5",
                                       "\xED\xA0\x80",
                                       "\xC2\x85",
                                       "\x1B[2J",
                                       "mix\tMix\t44100\t2048\t3584\t4096\tvocals,drums\tother\n",
                                       "a\tA\t8000\t1\t0\t0\tbass\tother\textra\n"};

std::string text_of(const std::uint8_t* data, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] < 128)
      text += kWords[data[i] % std::size(kWords)];
    else if (i + 1 < size)
      text += static_cast<char>(data[++i]);
  }
  return text;
}

const char* problem_of(const stemlane::ModelDescriptor& model) {
  for (const char c : model.name)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
      return "a name that may be a path";
  if (model.name.empty() || model.name.front() == '.') return "no name";
  for (const char c : model.title)
    if ((c >= 0 && c < ' ') || c == 0x7F) return "a title with control characters";
  const std::set<int> stems(model.stems.begin(), model.stems.end());
  if (stems.empty() || stems.size() != model.stems.size() || stems.contains(model.residual))
    return "stems twice";
  if (*stems.begin() < 0 || *stems.rbegin() >= stemlane::kNumStems) return "stems that do not exist";
  if (model.residual < 0 || model.residual >= stemlane::kNumStems) return "a residual that does not exist";
  constexpr int kTenMinutes = 230'400'000;
  if (model.stride_samples < 1 || model.delay_samples < 0 || model.compute_allowance_samples < 0)
    return "negative times";
  if (std::max({model.stride_samples, model.delay_samples, model.compute_allowance_samples}) > kTenMinutes)
    return "times without end";
  return model.sample_rate >= 1000 && model.sample_rate <= 768'000 ? nullptr : "an impossible rate";
}

}  // namespace

int fuzz_last(double) {
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = text_of(data, size);
  const char* problem = nullptr;
  for (const auto& model : stemlane::parse_model_index(text))
    if (const char* found = problem_of(model)) problem = found;
  const std::string python = stemlane::configured(text, stemlane::contract::kPythonKey);
  if (python.size() > 4096 || python.find_first_of("\n\r\t\x1B") != std::string::npos) problem = "no path";
  if (problem == nullptr) return 0;
  std::fprintf(stderr, "fuzz: %s\n", problem);
  std::abort();
}
