// SPDX-License-Identifier: MIT
// Says of 64-bit Windows what CPython's headers ask of a system, for a build on another one. CPython writes its own
// when it is built on Windows.
#pragma once

#include <io.h>

#define MS_WIN32
#define MS_WIN64
#define MS_WINDOWS
#define NT_THREADS
#define WITH_THREAD
#define PLATFORM "win32"
#define SIZEOF_SHORT 2
#define SIZEOF_INT 4
#define SIZEOF_LONG 4
#define SIZEOF_LONG_LONG 8
#define SIZEOF_VOID_P 8
#define SIZEOF_SIZE_T 8
#define SIZEOF_TIME_T 8
#define SIZEOF_WCHAR_T 2
#define ALIGNOF_SIZE_T 8
#define HAVE_STDDEF_H
#define HAVE_UINTPTR_T
#define WORDS_LITTLEENDIAN
typedef long long Py_ssize_t;
#define HAVE_PY_SSIZE_T
#define PY_SSIZE_T_MAX 0x7FFFFFFFFFFFFFFF
// Objects and functions come out of its library.
#define HAVE_DECLSPEC_DLL
#define Py_ENABLE_SHARED
