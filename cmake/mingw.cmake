# SPDX-License-Identifier: MIT
# Cross-compiles for Windows with Debian's g++-mingw-w64-x86-64-posix (the thread model of std::thread).
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# Windows 10: what JUCE and onnxruntime ask for.
add_compile_definitions(_WIN32_WINNT=0x0A00 WINVER=0x0A00)
# The compiler's libraries are nowhere on a Windows computer.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-static")
set(CMAKE_MODULE_LINKER_FLAGS_INIT "-static")
set(CMAKE_CROSSCOMPILING_EMULATOR wine)
# JUCE is sources and CMake files, the same for every system; big objects, because its modules are.
file(GLOB JUCE_DIR /usr/lib/*/cmake/JUCE-*)
add_compile_options(-Wa,-mbig-obj)
