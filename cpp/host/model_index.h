// SPDX-License-Identifier: MIT
// The few numbers of each installed model that the host side must know before any
// engine runs. They come from `models.index` files, which the Python package writes
// from the manifests; no manifest is read here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/stems.h"

namespace stemlane {

/// One line of a `models.index` file. Sample counts are at the model's rate.
struct ModelDescriptor {
  std::string name;
  std::string title;
  double sample_rate = 44100.0;
  int stride_samples = 0;             ///< step between two runs of the network
  int delay_samples = 0;              ///< analysis window, assembly and lookahead
  int compute_allowance_samples = 0;  ///< time that the engine is given
  std::vector<int> stems;             ///< separated stems in the model's order
  int residual = kOtherStem;          ///< the stem that takes what is left

  bool has_stem(int stem) const noexcept;
  bool operator==(const ModelDescriptor&) const = default;
};

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
