#!/bin/sh
# Checks what biome does not: shell scripts with shellcheck, Nix expressions with nixfmt. With --fix nixfmt mends.
set -eu
cd "$(dirname "$0")/.."
check=--check
if [ "${1:-}" = --fix ]; then check=; fi

# needs COMMAND PACKAGE
needs() {
  if command -v "$1" >/dev/null; then return; fi
  echo "lint: installing $2 with apt-get" >&2
  if [ "$(id -u)" = 0 ]; then sudo=; else sudo="sudo -n"; fi
  $sudo apt-get update -qq >&2
  $sudo apt-get install -qq -y --no-install-recommends "$2" >&2
}
needs shellcheck shellcheck

# The official style of nixpkgs, in the one implementation that a language's registry has. It needs Rust 1.87, which no
# distribution of ours has: where there is none, that is said, and the rest is checked all the same.
version=0.5.3
tools=${XDG_CACHE_HOME:-$HOME/.cache}/nix-ferry/tools-nixfmt-$version
if [ ! -x "$tools/bin/nixfmt" ]; then
  echo "lint: installing nixfmt_rs $version with cargo" >&2
  cargo install --quiet --locked --root "$tools" "nixfmt_rs@$version" >&2 ||
    echo "lint: NOT CHECKED: the format of the Nix expressions, for which rustup's cargo is needed" >&2
fi

scripts=$(git ls-files --cached --others --exclude-standard | while read -r file; do
  case $file in
    dist/* | target/activation/*) ;;
    *.sh | .ci/run) echo "$file" ;;
    *) if [ -f "$file" ] && head -c 20 "$file" | grep -qa '^#! *[a-z/ ]*sh$'; then echo "$file"; fi ;;
  esac
done)
# shellcheck disable=SC2086 # one word a file
shellcheck $scripts
# These are one script in parts, which share their variables.
activation=target/activation
{ find $activation -name '*.sh' ! -name main.sh -exec cat {} + && cat $activation/main.sh; } | shellcheck --shell=sh -

expressions=$(git ls-files --cached --others --exclude-standard '*.nix')
# shellcheck disable=SC2086
[ ! -x "$tools/bin/nixfmt" ] || "$tools/bin/nixfmt" $check $expressions
