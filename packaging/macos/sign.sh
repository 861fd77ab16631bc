#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Signs a bundle from the inside out, with the hardened runtime: packaging/macos/sign.sh Stemlane.vst3 [IDENTITY].
# Without an identity (a "Developer ID Application" certificate), ad hoc: good for the computer that it is made on;
# others have to allow it in the system's settings. Not run on a machine of the project's own yet.
set -euo pipefail

bundle=${1:?use: sign.sh BUNDLE [IDENTITY]}
identity=${2:--}
here=$(cd "$(dirname "$0")" && pwd)

options=(--force --options runtime)
[ "$identity" = - ] || options+=(--timestamp)

sign() { codesign "${options[@]}" --sign "$identity" "$@"; }

is_program() { file -b "$1" | grep -q '^Mach-O.*executable'; }

# What is deepest comes first: a signature covers what lies below. No --deep, which signs data as code.
while IFS= read -r binary; do
  if is_program "$binary"; then
    sign --entitlements "$here/entitlements.plist" "$binary"
  else
    sign "$binary"
  fi
done < <(find "$bundle/Contents" -depth -type f -exec sh -c 'file -b "$1" | grep -q "^Mach-O"' _ {} \; -print)
sign "$bundle"
codesign --verify --strict --verbose=2 "$bundle"
