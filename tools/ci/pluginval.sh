#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tries a plugin with pluginval at its highest strictness: tools/ci/pluginval.sh BUNDLE
set -euo pipefail

version=1.0.4
case $(uname -s) in
  Linux) archive=pluginval_Linux.zip program=pluginval ;;
  Darwin) archive=pluginval_macOS.zip program=pluginval.app/Contents/MacOS/pluginval ;;
  *) archive=pluginval_Windows.zip program=pluginval.exe ;;
esac
folder=build/pluginval
mkdir -p "$folder"
if [ ! -e "$folder/$program" ]; then
  curl --fail --location --silent --show-error --output "$folder/$archive" \
    "https://github.com/Tracktion/pluginval/releases/download/v$version/$archive"
  (cd "$folder" && unzip -q -o "$archive")
fi
"$folder/$program" --strictness-level 10 --validate-in-process --validate "$1"
