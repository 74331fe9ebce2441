#!/bin/sh
# Checks what biome does not: shell scripts with shellcheck. With --fix it does nothing that biome has not done.
set -eu
cd "$(dirname "$0")/.."

if ! command -v shellcheck >/dev/null; then
  echo "lint: shellcheck is missing; installing it with apt-get" >&2
  if [ "$(id -u)" = 0 ]; then sudo=; else sudo="sudo -n"; fi
  $sudo apt-get install -y --no-install-recommends shellcheck >&2
fi

scripts=$(git ls-files --cached --others --exclude-standard | while read -r file; do
  case $file in
    dist/*) ;;
    *.sh | .ci/run) echo "$file" ;;
    *) if [ -f "$file" ] && head -c 20 "$file" | grep -qa '^#! *[a-z/ ]*sh$'; then echo "$file"; fi ;;
  esac
done)
# shellcheck disable=SC2086 # one word a file
shellcheck $scripts
