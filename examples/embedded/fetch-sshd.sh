#!/bin/sh
# fetch-sshd.sh DIRECTORY
#
# Unpacks the distribution's sshd, and the libraries that this machine lacks, into DIRECTORY/usr, without installing
# anything. Existing files are kept. Does not need root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
directory=${1:?fetch-sshd.sh DIRECTORY}
[ ! -d "$directory/usr" ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

sh "$here/download-debs.sh" --missing "$work/debs" openssh-server
mkdir "$work/root"
for file in "$work"/debs/*.deb; do
  dpkg-deb -x "$file" "$work/package"
  # Packages older than the merge of /usr name their files under /lib and /sbin.
  mkdir -p "$work/root/usr"
  for top in bin sbin lib lib64; do
    [ ! -d "$work/package/$top" ] || { mkdir -p "$work/root/usr/$top" && cp -a "$work/package/$top/." "$work/root/usr/$top"; }
  done
  [ ! -d "$work/package/usr" ] || cp -a "$work/package/usr/." "$work/root/usr"
  rm -rf "$work/package"
done
mkdir -p "$directory"
cp -a "$work/root/usr" "$directory/usr.tmp"
mv "$directory/usr.tmp" "$directory/usr"
