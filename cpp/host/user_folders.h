// SPDX-License-Identifier: MIT
// Where a user's files lie: one rule, the same as the Python package's (contract.toml).
#pragma once

#include <filesystem>

#include "core/contract.h"

namespace stemlane {

/// Stemlane's folder in one of the user's, such as `contract::kUserData`; empty if the user has no home. It
/// need not exist. Never on the audio thread.
std::filesystem::path user_folder(const contract::UserFolder& folder);

}  // namespace stemlane
