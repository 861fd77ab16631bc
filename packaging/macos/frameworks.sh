#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Puts the libraries that a bundle's programs need from outside of the system into Contents/Frameworks, and has them
# found there: packaging/macos/frameworks.sh Stemlane.vst3. Before sign.sh: it changes binaries.
# Not run on a machine of the project's own yet.
set -euo pipefail

bundle=${1:?use: frameworks.sh BUNDLE}
frameworks=$bundle/Contents/Frameworks
mkdir -p "$frameworks"

binaries() { find "$bundle/Contents" -type f -exec sh -c 'file -b "$1" | grep -q "^Mach-O"' _ {} \; -print; }

# What comes from neither the system nor the bundle.
foreign() { otool -L "$1" | tail -n +2 | awk '{print $1}' | grep -Ev '^(/usr/lib/|/System/|@)' || true; }

# Copies have needs of their own: until nothing is new.
changed=yes
while [ "$changed" = yes ]; do
  changed=no
  while IFS= read -r binary; do
    while IFS= read -r library; do
      [ -n "$library" ] || continue
      name=$(basename "$library")
      if [ ! -e "$frameworks/$name" ]; then
        cp "$library" "$frameworks/$name"
        chmod u+w "$frameworks/$name"
        install_name_tool -id "@rpath/$name" "$frameworks/$name"
      fi
      install_name_tool -change "$library" "@rpath/$name" "$binary"
      # From the binary's folder to Frameworks.
      up=$(dirname "${binary#"$bundle/Contents/"}" | sed 's|[^/][^/]*|..|g')
      install_name_tool -add_rpath "@loader_path/$up/Frameworks" "$binary" 2> /dev/null || true # is there
      changed=yes
    done < <(foreign "$binary")
  done < <(binaries)
done
