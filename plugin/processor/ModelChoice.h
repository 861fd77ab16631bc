// SPDX-License-Identifier: GPL-3.0-or-later
// Which model a plugin instance runs: the one it is asked for, or what takes its place
// when that one is not installed.
#pragma once

#include <string>
#include <vector>

#include "host/model_index.h"

namespace stemlane {

/// What an instance runs, or why it has no engine.
struct ModelChoice {
  ModelDescriptor model;   ///< decides about stems and latency in any case
  std::string problem;     ///< empty if the model is installed
  bool isStandIn = false;  ///< another one that is installed, which could take its place
};

/// The installed models, read from the disk. Control thread.
std::vector<ModelDescriptor> installedModels();

/// Name of the model of a new insert, of those that are installed.
std::string defaultModelName(const std::vector<ModelDescriptor>& models);

/// Name of the model for files, while nobody has chosen one: of those that are installed, the one with the
/// best figures.
std::string bestModelName(const std::vector<ModelDescriptor>& models);

/// The one of the installed models that is called `name`; if there is none, a stand-in for its delay and
/// the reason, so that the mixture still passes.
ModelChoice chooseModel(const std::vector<ModelDescriptor>& models, const std::string& name);

}  // namespace stemlane
