// SPDX-License-Identifier: MIT
// Three libraries of test_windows.cpp: two that are called companion.dll, and one that needs the first.
#ifdef COMPANION
extern "C" __declspec(dllexport) int companion() {
  return COMPANION;
}
#else
extern "C" __declspec(dllimport) int companion();
extern "C" __declspec(dllexport) int which_companion() {
  return companion();
}
#endif
