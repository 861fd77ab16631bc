// SPDX-License-Identifier: MIT
// The wide functions: the narrow ones are in the system's old encoding, which lacks most letters.
#include "platform/environment.h"

#include <cstdlib>

#include "platform/windows/system.h"

#include <shellapi.h>

namespace stemlane {

std::filesystem::path environment_path(const char* name) {
  const wchar_t* value = _wgetenv(to_wide(name).c_str());
  return value != nullptr ? std::filesystem::path(value) : std::filesystem::path();
}

void set_environment_default(const char* name, const char* value) {
  const std::wstring wide_name = to_wide(name);
  if (_wgetenv(wide_name.c_str()) == nullptr) _wputenv_s(wide_name.c_str(), to_wide(value).c_str());
}

std::vector<std::string> arguments_of_main(int, char**) {
  int count = 0;
  wchar_t** const arguments = CommandLineToArgvW(GetCommandLineW(), &count);
  std::vector<std::string> texts;
  for (int i = 1; i < count; ++i) texts.push_back(to_utf8(arguments[i]));
  LocalFree(arguments);
  return texts;
}

std::filesystem::path home_folder() {
  const std::filesystem::path named = environment_path("USERPROFILE");
  return named.is_absolute() ? named : std::filesystem::path();
}

}  // namespace stemlane
