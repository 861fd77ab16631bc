// SPDX-License-Identifier: MIT
// dlopen.
#include "platform/library.h"

#include <dlfcn.h>

namespace stemlane {

void* open_library(const std::filesystem::path& path, bool is_global, std::string& error) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | (is_global ? RTLD_GLOBAL : RTLD_LOCAL));
  if (library == nullptr) error = dlerror();
  return library;
}

void* function_of(void* library, const char* name) noexcept {
  return dlsym(library, name);
}

std::filesystem::path binary_around(const void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 ? info.dli_fname : "";
}

}  // namespace stemlane
