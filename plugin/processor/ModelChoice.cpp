// SPDX-License-Identifier: GPL-3.0-or-later
// See ModelChoice.h.
#include "processor/ModelChoice.h"

#include <algorithm>
#include <array>

#include "processor/PluginFiles.h"

namespace stemlane {
namespace {

constexpr const char* kDefaultModel = "live";
// Of four stems, by the mean SDR on MUSDB18 that their makers state (docs/add-models.md): 9.2 to 5.45 dB. The
// embedded ones follow them. Others state none, or not on these songs.
constexpr std::array kBestFirst = {"htdemucs_ft",    "htdemucs",        "open-unmix-umxl", "open-unmix-umxhq",
                                   "open-unmix-umx", "spleeter-4stems", "studio",          "mix"};

/// Plausible numbers for an installation without any model.
ModelDescriptor noModel() {
  return {"none", "No model", 44100.0, 512, 512, 1536, {0, 1, 2}, kOtherStem};
}

/// `kDefaultModel`, else the first one; null if nothing is installed.
const ModelDescriptor* defaultModel(const std::vector<ModelDescriptor>& models) {
  const ModelDescriptor* model = find_model(models, kDefaultModel);
  return model != nullptr || models.empty() ? model : &models.front();
}

}  // namespace

std::vector<ModelDescriptor> installedModels() {
  return read_model_indexes(modelIndexPaths());
}

std::string defaultModelName(const std::vector<ModelDescriptor>& models) {
  const ModelDescriptor* model = defaultModel(models);
  return model != nullptr ? model->name : kDefaultModel;
}

std::string bestModelName(const std::vector<ModelDescriptor>& models) {
  const auto* const best = std::find_if(kBestFirst.begin(), kBestFirst.end(), [&](const char* name) {
    return find_model(models, name) != nullptr;
  });
  return best != kBestFirst.end() ? *best : defaultModelName(models);
}

ModelChoice chooseModel(const std::vector<ModelDescriptor>& models, const std::string& name) {
  if (const ModelDescriptor* model = find_model(models, name)) return {*model, {}};
  const std::string problem = "model '" + name + "' is not installed; ";
  if (const ModelDescriptor* model = defaultModel(models)) {
    std::string names;
    for (const ModelDescriptor& other : models) names += (names.empty() ? "" : ", ") + other.name;
    return {*model, problem + "choose another one: " + names, true};
  }
  return {noModel(), problem + "no model is: install Stemlane again"};
}

}  // namespace stemlane
