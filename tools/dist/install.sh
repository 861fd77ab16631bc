#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the plugin, the application and the command `stemlane` for the user who runs this. Needs
# no root, no Python and no network; this folder may be deleted afterwards. Run it again to upgrade.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=Stemlane.vst3
plugins=${HOME:?HOME is not set}/.vst3
target=$plugins/$name
data=${XDG_DATA_HOME:-$HOME/.local/share}
new=$plugins/.$name.$$.partial
old=$plugins/.$name.$$.old

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

# Nothing is half installed, whatever ends this.
clean_up() {
  if [ ! -e "$target" ] && [ -e "$old" ]; then mv "$old" "$target"; fi
  chmod -R u+w "$new" "$old" 2>/dev/null || true
  rm -rf "$new" "$old"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

[ -d "$here/$name" ] || fail "$here/$name is missing; unpack the archive again"
mkdir -p "$plugins" "$HOME/.local/bin" "$data/applications"
cp -R "$here/$name" "$new" || fail "$plugins cannot be written; is the disk full?"

# It must separate before it takes the place of one that does.
engine=$new/Contents/x86_64-linux/stemlane-engine
if ! said=$("$engine" --check 2>&1); then
  fail "the engine does not run on this system: $said"
fi

if [ -e "$target" ] || [ -L "$target" ]; then mv "$target" "$old"; fi
mv "$new" "$target"

ln -sfn "$target/Contents/Resources/stemlane" "$HOME/.local/bin/stemlane"
# In a desktop file, a path in quotes has these escaped.
escaped=$(printf %s "$target" | sed 's/[\\"`$]/\\&/g; s/%/%%/g')
sed "s|@PROGRAM@|$(printf %s "$escaped" | sed 's/[\\|&]/\\&/g')/Contents/x86_64-linux/Stemlane|" \
  "$here/stemlane.desktop" > "$data/applications/stemlane.desktop"

# The manual page and what shells complete; those that pip has put there stay. zsh looks there only if its fpath says so.
share=$target/Contents/Resources/share
(cd "$share" && find . -type f) | while read -r file; do
  link=$data/${file#./}
  if [ -e "$link" ] && [ ! -L "$link" ]; then continue; fi
  mkdir -p "${link%/*}"
  ln -sfn "$share/${file#./}" "$link"
done

echo "$target"
echo "Rescan the plugins in your DAW. 'stemlane doctor' says whether all is well ($HOME/.local/bin)."
