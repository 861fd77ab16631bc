# SPDX-License-Identifier: MIT
# Copies the image and font libraries that a binary is linked to beside it:
#   cmake -DBINARY=FILE -DFOLDER=DIR -P CopyImageLibraries.cmake
# Distributions build JUCE against their own, whose names differ between systems (libjpeg.so.62 in
# Debian and Fedora, libjpeg.so.8 in Ubuntu), and servers have none of them. They cannot be linked
# statically: Debian's archives are not position independent. libz and the libraries of the C and C++
# run time are everywhere; ALSA belongs to the system's own sound set-up.
file(GET_RUNTIME_DEPENDENCIES
  LIBRARIES ${BINARY}
  RESOLVED_DEPENDENCIES_VAR libraries
  UNRESOLVED_DEPENDENCIES_VAR missing
  PRE_EXCLUDE_REGEXES ".*"
  PRE_INCLUDE_REGEXES "^lib(png16|jpeg|freetype|brotlidec|brotlicommon|fontconfig|bz2|expat)\\.so")
if(missing)
  message(FATAL_ERROR "${BINARY} needs ${missing}, which cannot be found")
endif()
foreach(library IN LISTS libraries)
  file(REAL_PATH ${library} file)
  get_filename_component(name ${library} NAME) # under the name that it is asked for by
  configure_file(${file} ${FOLDER}/${name} COPYONLY)
endforeach()
