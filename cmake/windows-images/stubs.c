/* SPDX-License-Identifier: MIT */
/* In place of libpng and libjpeg, which Debian does not have for Windows and its JUCE does not bring: enough
   to link a plugin that is tested under Wine and decodes no image. Builds that are released have JUCE's own. */
#include <stdlib.h>

#define STUB(name) \
  void name(void) { abort(); }

