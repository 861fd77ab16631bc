# SPDX-License-Identifier: MIT
# Catch2 2 is one header, the same on every system: of the building one, through a link, because the rest
# of its /usr/include is for another system.
find_path(STEMLANE_CATCH2 catch2/catch.hpp PATHS /usr/include /usr/local/include
  NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH REQUIRED)
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/include)
file(CREATE_LINK ${STEMLANE_CATCH2}/catch2 ${CMAKE_CURRENT_BINARY_DIR}/include/catch2 SYMBOLIC)
add_library(Catch2::Catch2 INTERFACE IMPORTED)
target_include_directories(Catch2::Catch2 INTERFACE ${CMAKE_CURRENT_BINARY_DIR}/include)
