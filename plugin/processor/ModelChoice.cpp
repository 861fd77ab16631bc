// SPDX-License-Identifier: GPL-3.0-or-later
// See ModelChoice.h.
#include "processor/ModelChoice.h"

#include "processor/PluginFiles.h"

namespace stemlane {
namespace {

constexpr const char* kDefaultModel = "live";

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
