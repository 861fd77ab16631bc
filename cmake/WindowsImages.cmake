# SPDX-License-Identifier: MIT
# The headers of libpng and libjpeg for a cross build with Debian's JUCE, through links, and stubs.c to link.
set(folder ${CMAKE_CURRENT_BINARY_DIR}/images)
file(MAKE_DIRECTORY ${folder})
foreach(header png.h pngconf.h pnglibconf.h jpeglib.h jerror.h jmorecfg.h jpegint.h)
  file(CREATE_LINK /usr/include/${header} ${folder}/${header} SYMBOLIC)
endforeach()
file(CREATE_LINK /usr/include/x86_64-linux-gnu/jconfig.h ${folder}/jconfig.h SYMBOLIC)
add_library(stemlane_images STATIC ${CMAKE_CURRENT_LIST_DIR}/windows-images/stubs.c)
target_include_directories(stemlane_images PUBLIC ${folder})
target_link_libraries(stemlane_images PUBLIC z)
