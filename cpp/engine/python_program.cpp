// SPDX-License-Identifier: MIT
// bin/python3 of a self-contained bundle: CPython's own main function out of the bundle's
// library. Copying the builder's executable instead would double the interpreter, and it may
// need libraries that a musician does not have.
#include <dlfcn.h>

#include <cstdio>
#include <string>

#include "engine/python_library.h"
#include "platform/process.h"

int main(int count, char** arguments) {
  std::string self = stemlane::executable_path().string();
  const auto python = stemlane::find_library({self, {}, "the bundle", true});
  std::string error = "there is no libpython in the bundle";
  if (python.library.empty() || !stemlane::load_library(python, error)) {
    std::fprintf(stderr, "%s: %s; install Stemlane again\n", self.c_str(), error.c_str());
    return 1;
  }
  using Main = int (*)(int, char**);
  const auto run = reinterpret_cast<Main>(dlsym(RTLD_DEFAULT, "Py_BytesMain"));
  arguments[0] = self.data();  // where CPython looks for its library
  return run(count, arguments);
}
