// SPDX-License-Identifier: MIT
// bin/python3 of a self-contained bundle: CPython's own main function out of the bundle's
// library. Copying the builder's executable instead would double the interpreter, and it may
// need libraries that a musician does not have.
#include <cstdio>
#include <exception>
#include <string>

#include "engine/python_library.h"
#include "platform/library.h"
#include "platform/process.h"
#include "platform/text_path.h"

namespace stemlane {
namespace {

int run_python(int count, char** arguments) {
  std::string self = text_of(executable_path());
  const PythonLibrary python = find_library({path_of(self), {}, "the bundle", true});
  std::string error = "there is no libpython in the bundle";
  using Main = int (*)(int, char**);
  Main run = nullptr;
  if (!python.library.empty() && load_library(python, error))
    run = reinterpret_cast<Main>(function_of(open_library(python.library, true, error), "Py_BytesMain"));
  if (run == nullptr) {
    std::fprintf(stderr, "%s: %s; install Stemlane again\n", self.c_str(), error.c_str());
    return 1;
  }
  arguments[0] = self.data();  // where CPython looks for its library
  return run(count, arguments);
}

}  // namespace
}  // namespace stemlane

int main(int count, char** arguments) {
  try {
    return stemlane::run_python(count, arguments);
  } catch (const std::exception& problem) {  // the system does not say where this program lies
    std::fputs(problem.what(), stderr);
  } catch (...) {
    std::fputs("unknown failure", stderr);
  }
  return 1;
}
