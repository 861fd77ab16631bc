// SPDX-License-Identifier: MIT
// Finds out which models are installed: from `models.index` files, which the Python package
// writes from the manifests; no manifest is read here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/model_descriptor.h"

namespace stemlane {

/// Reads the text of an index. Lines that are not understood are left out (a newer package may write more),
/// so are those whose name is none or whose title cannot be shown, and models after the first thousand.
std::vector<ModelDescriptor> parse_model_index(std::string_view text);

/// As `parse_model_index`, from a file; one that is missing or no regular file gives an empty list, and what
/// follows the first 256 KiB is not read. Never on the audio thread.
std::vector<ModelDescriptor> read_model_index(const std::string& path);

/// The models of several index files; where two have one name, the first one counts.
std::vector<ModelDescriptor> read_model_indexes(const std::vector<std::string>& paths);

/// The model called `name`, or null.
const ModelDescriptor* find_model(const std::vector<ModelDescriptor>& models,
                                  const std::string& name) noexcept;

}  // namespace stemlane
