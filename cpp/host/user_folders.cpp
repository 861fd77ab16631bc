// SPDX-License-Identifier: MIT
// See user_folders.h. A variable that holds a relative path counts as unset, as the XDG specification says.
#include "host/user_folders.h"

#include "platform/environment.h"

namespace stemlane {

namespace fs = std::filesystem;

fs::path user_folder(const contract::UserFolder& folder) {
  if (*folder.variable != '\0')
    if (const fs::path base = environment_path(folder.variable); base.is_absolute())
      return base / contract::kApplicationFolder;
  const fs::path base = home_folder();
  return base.empty() ? base : base / folder.in_home / contract::kApplicationFolder;
}

}  // namespace stemlane
