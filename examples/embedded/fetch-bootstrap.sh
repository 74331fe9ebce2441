#!/bin/sh
# fetch-bootstrap.sh DIRECTORY [SYSTEM…]
#
# Downloads the static busybox with which the miniature nixpkgs builds everything to DIRECTORY/<system>/busybox. DIRECTORY
# is `nixpkgs/bootstrap` in a copy of the fleet. Existing files are kept. Does not need root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
directory=${1:?fetch-bootstrap.sh DIRECTORY [SYSTEM…]}
shift
[ $# -gt 0 ] || set -- x86_64-linux aarch64-linux

missing=
packages=
for system; do
  [ -x "$directory/$system/busybox" ] && continue
  missing="$missing $system"
  case $system in
  x86_64-linux) packages="$packages busybox-static:amd64" ;;
  aarch64-linux) packages="$packages busybox-static:arm64" ;;
  *)
    echo "fetch-bootstrap: '$system' is not one of x86_64-linux, aarch64-linux" >&2
    exit 2
    ;;
  esac
done
[ -n "$missing" ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# shellcheck disable=SC2086
sh "$here/download-debs.sh" "$work/debs" $packages
for system in $missing; do
  case $system in
  x86_64-linux) architecture=amd64 ;;
  aarch64-linux) architecture=arm64 ;;
  esac
  dpkg-deb -x "$work"/debs/busybox-static_*_"$architecture".deb "$work/$system"
  mkdir -p "$directory/$system"
  # /bin in Debian 12, /usr/bin later.
  busybox=$(find "$work/$system" -type f -path "*bin/busybox")
  cp "$busybox" "$directory/$system/busybox.tmp"
  chmod 755 "$directory/$system/busybox.tmp"
  mv "$directory/$system/busybox.tmp" "$directory/$system/busybox"
done
