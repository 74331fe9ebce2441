#!/bin/sh
# Checks what biome does not check: shell scripts with shellcheck, Nix expressions with nixfmt. --fix formats the latter.
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

# nixfmt_rs implements the official format of nixpkgs and can be installed from crates.io. It needs Rust 1.87, which supported
# distributions do not have. If it cannot be installed, the format is not checked.
version=0.5.3
tools=${XDG_CACHE_HOME:-$HOME/.cache}/nix-ferry/tools-nixfmt-$version
if [ ! -x "$tools/bin/nixfmt" ]; then
  echo "lint: installing nixfmt_rs $version with cargo" >&2
  cargo install --quiet --locked --root "$tools" "nixfmt_rs@$version" >&2 ||
    echo "lint: the format of the Nix expressions is NOT CHECKED: install cargo with rustup" >&2
fi

scripts=$(git ls-files --cached --others --exclude-standard | while read -r file; do
  case $file in
    dist/* | target/activation/*) ;;
    *.sh | .ci/run) echo "$file" ;;
    *) if [ -f "$file" ] && head -c 20 "$file" | grep -qa '^#! *[a-z/ ]*sh$'; then echo "$file"; fi ;;
  esac
done)
# shellcheck disable=SC2086 # one word for each file
shellcheck $scripts
# These are one script in parts, which share their variables.
activation=target/activation
{ find $activation -name '*.sh' ! -name main.sh -exec cat {} + && cat $activation/main.sh; } | shellcheck --shell=sh -

expressions=$(git ls-files --cached --others --exclude-standard '*.nix')
# shellcheck disable=SC2086
[ ! -x "$tools/bin/nixfmt" ] || "$tools/bin/nixfmt" $check $expressions
