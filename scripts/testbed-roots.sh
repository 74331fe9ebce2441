#!/usr/bin/env bash
# Makes the missing roots of the testbed, all at once, as CACHE/roots/NAME-HASH, where HASH is that of the recipe
# (__tests__/e2e/support/roots/NAME.sh and what it includes, without comments). Removes roots that were not used for a month.
# Needs root. Prints a line NAME PATH for each root on standard output, progress on standard error.
#
# usage: testbed-roots.sh CACHE [NAME…]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
recipes=$(cd "$here/../__tests__/e2e/support/roots" && pwd)
cache=$1
shift
names=("$@")
if [ ${#names[@]} = 0 ]; then names=(aarch64 runner systemd nix-2.8 nix-2.26 nix-2.34 node-24 release act); fi

mkdir -p "$cache/roots" "$cache/logs"
find "$cache/roots" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf --one-file-system {} +

# Prints the finished roots; fails if one is missing.
finished() {
  local complete=0
  for name in "${names[@]}"; do
    if touch -c "${roots[$name]}" && [ -d "${roots[$name]}" ]; then echo "$name ${roots[$name]}"; else complete=1; fi
  done
  return "$complete"
}
declare -A roots
for name in "${names[@]}"; do
  shared=("$recipes/common.sh")
  case $name in nix-* | release) shared+=("$recipes/nix.sh") ;; esac
  hash=$(sed '/^ *#/d' "${shared[@]}" "$recipes/$name.sh" | sha256sum | cut -c1-12)
  roots[$name]=$cache/roots/$name-$hash
done
if lines=$(finished); then
  echo "$lines"
  exit
fi

# One run at a time makes roots; others wait for them.
exec 5>"$cache/roots/.lock"
flock 5

# make NAME: makes a root
make() {
  local name=$1 root=${roots[$1]} began=$SECONDS
  local partial=$root.partial
  rm -rf "$partial" "$partial.work"
  mkdir -p "$partial"
  chmod 755 "$partial"
  # shellcheck disable=SC2016
  if setpriv --pdeathsig KILL "$here/testbed-namespaces.sh" -m -p env ROOT="$partial" RECIPES="$recipes" NAME="$name" bash -euo pipefail -c '
      mount --make-rprivate /
      mount -t proc proc /proc
      mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
      . "$RECIPES/common.sh"
      . "$RECIPES/nix.sh"
      . "$RECIPES/$NAME.sh"' </dev/null >"$cache/logs/$name.log" 2>&1 5>&-; then
    mv "$partial" "$root"
    echo "testbed: root $name made in $((SECONDS - began)) s" >&2
  else
    echo "testbed: root $name could not be made; last lines of $cache/logs/$name.log:" >&2
    tail -n 25 "$cache/logs/$name.log" >&2
    rm -rf --one-file-system "$partial" "$partial.work"
    return 1
  fi
}

pids=()
trap 'kill "${pids[@]}" 2>/dev/null' INT TERM
for name in "${names[@]}"; do
  if [ -d "${roots[$name]}" ]; then continue; fi
  echo "testbed: making root $name in $cache/roots (only once)" >&2
  make "$name" &
  pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
if [ "$failed" = 1 ]; then exit 1; fi
finished
