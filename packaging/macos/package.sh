#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An installer out of a signed bundle: packaging/macos/package.sh Stemlane.vst3 VERSION [INSTALLER_IDENTITY PROFILE].
# With the identity of a "Developer ID Installer" certificate and a profile that `notarytool store-credentials` has
# made, it is signed, notarised and stapled. Not run on a machine of the project's own yet.
#
# arm64 only: onnxruntime has no binaries for macOS on x86-64 from 1.24 on. A Mac with an Intel processor would need
# an older one, whose models would have to be tried again.
set -euo pipefail

bundle=${1:?use: package.sh BUNDLE VERSION [INSTALLER_IDENTITY PROFILE]}
version=${2:?use: package.sh BUNDLE VERSION [INSTALLER_IDENTITY PROFILE]}
identity=${3:-}
profile=${4:-}
place="Library/Audio/Plug-Ins/VST3"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/root/$place" dist
ditto "$bundle" "$work/root/$place/Stemlane.vst3"

# A bundle is not looked for elsewhere on the disk, where a developer may have another one.
pkgbuild --analyze --root "$work/root" "$work/components.plist"
plutil -replace 0.BundleIsRelocatable -bool NO "$work/components.plist"
pkgbuild --root "$work/root" --component-plist "$work/components.plist" --identifier org.stemlane.plugin \
  --version "$version" --install-location / "$work/plugin.pkg"

package=dist/stemlane-$version-macos-arm64.pkg
productbuild --synthesize --package "$work/plugin.pkg" "$work/distribution.xml"
sed -i '' 's|</installer-gui-script>|<options hostArchitectures="arm64"/></installer-gui-script>|' "$work/distribution.xml"
productbuild --distribution "$work/distribution.xml" --package-path "$work" \
  ${identity:+--sign "$identity" --timestamp} "$package"

if [ -n "$profile" ]; then
  xcrun notarytool submit "$package" --keychain-profile "$profile" --wait
  xcrun stapler staple "$package"
  spctl --assess --type install --verbose "$package"
fi
