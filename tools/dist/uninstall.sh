#!/bin/sh
# SPDX-License-Identifier: MIT
# Removes what install.sh has installed. Models that were added stay, unless --models is given.
set -eu

target=${HOME:?HOME is not set}/.vst3/Stemlane.vst3
data=${XDG_DATA_HOME:-$HOME/.local/share}
command=$HOME/.local/bin/stemlane

if [ "${1:-}" = --models ]; then
  rm -rf "$data/stemlane"
elif [ $# -gt 0 ]; then
  echo "uninstall.sh: unknown option '$1'; there is --models, to remove the models that were added, too" >&2
  exit 2
fi

# Only links that install.sh has made: pip puts a command and a manual page of its own there.
for link in "$command" "$data/man/man1/stemlane.1" "$data/bash-completion/completions/stemlane" \
  "$data/zsh/vendor-completions/_stemlane" "$data/fish/vendor_completions.d/stemlane.fish"; do
  case $(readlink "$link" 2>/dev/null || true) in
    "$target"/*) rm -f "$link" ;;
  esac
done
rm -f "$data/applications/stemlane.desktop"
if [ -L "$target" ]; then
  rm -f "$target"
elif [ -e "$target" ]; then
  parked=$HOME/.vst3/.Stemlane.vst3.$$.old
  mv "$target" "$parked"  # hosts see it whole or not at all
  chmod -R u+w "$parked"
  rm -rf "$parked"
fi
# Folders that install.sh may have made, if nothing else is in them.
for folder in "$HOME/.vst3" "$HOME/.local/bin" "$data/applications" "$data/man/man1" "$data/man" \
  "$data/bash-completion/completions" "$data/bash-completion" "$data/zsh/vendor-completions" "$data/zsh" \
  "$data/fish/vendor_completions.d" "$data/fish" "$data" "$HOME/.local"; do
  rmdir "$folder" 2>/dev/null || true
done
