// SPDX-License-Identifier: MIT
#include "platform/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace stemlane {

std::filesystem::path environment_path(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::filesystem::path(value) : std::filesystem::path();
}

void set_environment_default(const char* name, const char* value) {
  setenv(name, value, 0);
}

std::vector<std::string> arguments_of_main(int count, char** arguments) {
  return {arguments + std::min(count, 1), arguments + count};
}

std::filesystem::path home_folder() {
  if (std::filesystem::path named = environment_path("HOME"); named.is_absolute()) return named;
  const passwd* user = getpwuid(getuid());
  return user != nullptr ? std::filesystem::path(user->pw_dir) : std::filesystem::path();
}

}  // namespace stemlane
