# SPDX-License-Identifier: MIT
# For a cross build: the library of a Python for Windows, and the headers of the building one, of the same version, with a
# description of Windows in place of its own. The headers are links in a folder of their own, because Python.h
# prefers the pyconfig.h beside it.
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter)
set(STEMLANE_WINDOWS_PYTHON "" CACHE PATH "The folder of Python's embeddable package for Windows")
set(library ${STEMLANE_WINDOWS_PYTHON}/python${Python_VERSION_MAJOR}${Python_VERSION_MINOR}.dll)
if(NOT EXISTS ${library})
  message(FATAL_ERROR "${library} is missing: name the folder of Python ${Python_VERSION_MAJOR}.${Python_VERSION_MINOR}'s "
    "embeddable package for Windows in STEMLANE_WINDOWS_PYTHON; tools/dist/bundle_parts.py fetches that of 3.11")
endif()
execute_process(
  COMMAND ${Python_EXECUTABLE} -c "import pybind11, sysconfig; print(pybind11.get_include(), sysconfig.get_path('include'), sep=';', end='')"
  OUTPUT_VARIABLE folders
  COMMAND_ERROR_IS_FATAL ANY)
list(GET folders 0 pybind11_headers)
list(GET folders 1 python_headers)
set(folder ${CMAKE_CURRENT_BINARY_DIR}/python-headers)
file(MAKE_DIRECTORY ${folder})
file(GLOB headers RELATIVE ${python_headers} ${python_headers}/*)
list(REMOVE_ITEM headers pyconfig.h)
foreach(header IN LISTS headers)
  file(CREATE_LINK ${python_headers}/${header} ${folder}/${header} SYMBOLIC)
endforeach()
file(CREATE_LINK ${CMAKE_CURRENT_LIST_DIR}/windows-python/pyconfig.h ${folder}/pyconfig.h SYMBOLIC)
add_library(pybind11::module INTERFACE IMPORTED)
target_include_directories(pybind11::module INTERFACE ${folder} ${pybind11_headers})
target_link_libraries(pybind11::module INTERFACE ${library})  # which GNU's linker takes for its own import library
