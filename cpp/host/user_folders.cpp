// SPDX-License-Identifier: MIT
// See user_folders.h. A variable that holds a relative path counts as unset, as the XDG specification says.
#include "host/user_folders.h"

#include <cstdlib>

#ifndef _WIN32
#include <pwd.h>
#include <unistd.h>
#endif

namespace stemlane {
namespace {

namespace fs = std::filesystem;

fs::path named_by(const char* variable) {
#ifdef _WIN32
  // The narrow one is in the system's old encoding, which lacks most letters.
  const wchar_t* value = _wgetenv(fs::path(variable).c_str());
#else
  const char* value = *variable != '\0' ? std::getenv(variable) : nullptr;
#endif
  return value != nullptr && fs::path(value).is_absolute() ? fs::path(value) : fs::path();
}

fs::path home() {
#ifdef _WIN32
  return named_by("USERPROFILE");
#else
  if (fs::path named = named_by("HOME"); !named.empty()) return named;
  const passwd* user = getpwuid(getuid());
  return user != nullptr ? fs::path(user->pw_dir) : fs::path();
#endif
}

}  // namespace

fs::path user_folder(const contract::UserFolder& folder) {
  if (const fs::path base = named_by(folder.variable); !base.empty())
    return base / contract::kApplicationFolder;
  const fs::path base = home();
  return base.empty() ? base : base / folder.in_home / contract::kApplicationFolder;
}

}  // namespace stemlane
