# SPDX-License-Identifier: MIT
# STEMLANE_PLATFORM_SOURCES: the files of cpp/platform for STEMLANE_PLATFORM. Linux and the portable
# half share what every POSIX system has.
set(posix posix/descriptors posix/environment posix/library posix/process posix/shared_memory posix/thread posix/waiting)
set(system linux/system)
if(APPLE)
  set(system macos/system)
endif()
if(STEMLANE_PLATFORM STREQUAL "linux")
  set(names ${posix} ${system} linux/channel linux/event linux/memory linux/parent)
elseif(STEMLANE_PLATFORM STREQUAL "posix")
  set(names ${posix} ${system} posix/named_memory posix/parent_watch posix/socket_event posix/stream_channel)
elseif(STEMLANE_PLATFORM STREQUAL "windows")
  set(names windows/channel windows/environment windows/event windows/library windows/process windows/shared_memory
    windows/system windows/thread)
else()
  message(FATAL_ERROR "STEMLANE_PLATFORM is '${STEMLANE_PLATFORM}'; there are linux, posix and windows")
endif()
list(TRANSFORM names PREPEND cpp/platform/ OUTPUT_VARIABLE STEMLANE_PLATFORM_SOURCES)
list(TRANSFORM STEMLANE_PLATFORM_SOURCES APPEND .cpp)
