# shellcheck shell=bash
# A release tarball in the official layout (nix-V-SYS/{install,.reginfo,store/…}), made from sid's Nix:
# nix-V/nix-V-SYS.tar.xz and beside it its .sha256 (64 hex digits, no newline), as the releases' server has them.
system=$(uname -m)-linux
tree=$ROOT/tree
# Names as Nix would give them; the 32 characters stand for no hash.
nix=/nix/store/0000000000000000000000000000f1xn-nix
cacert=/nix/store/0000000000000000000000000000cacr-nss-cacert
store=$tree/store
mkdir -p "$store"
# The official closure has 152 MB unpacked, with libraries that Debian's Nix is built without: the two older ones stand for
# these, so that what is measured with the tarball is what users have.
fill=(/nix/store/00000000000000000000000000002z26-fill /nix/store/00000000000000000000000000002z08-fill)
ROOT=$store/${fill[0]##*/} relocated_nix trixie "${fill[0]}"
ROOT=$store/${fill[1]##*/} relocated_nix bookworm "${fill[1]}"
ROOT=$store/${nix##*/} relocated_nix sid "$nix"
mkdir -p "$store/${cacert##*/}/etc/ssl/certs"
cp /etc/ssl/certs/ca-certificates.crt "$store/${cacert##*/}/etc/ssl/certs/ca-bundle.crt"

# Nix itself says what it is and what it hashes to. It brings all its libraries, so a root with little else will do.
mkdir -p "$ROOT/work/nix" "$ROOT/work/proc"
mount -t proc proc "$ROOT/work/proc"
cp -a "$store" "$ROOT/work/nix/store"
there() { chroot "$ROOT/work" "$nix/bin/$1" "${@:2}"; }
version=$(there nix --version | grep -o '[0-9.]*$')
for path in "$nix" "$cacert" "${fill[@]}"; do
  echo "$path"
  there nix-hash --type sha256 --base16 "$path"
  there nix-store --dump "$path" | wc -c
  echo # no deriver
  if [ "$path" = "$cacert" ]; then echo 0; else printf '1\n%s\n' "$path"; fi
done >"$tree/.reginfo"
umount "$ROOT/work/proc"
rm -rf "$ROOT/work"
printf '#!/bin/sh\nnix="%s"\ncacert="%s"\n' "$nix" "$cacert" >"$tree/install"
chmod +x "$tree/install"

name=nix-$version-$system
mkdir "$ROOT/nix-$version"
# One block of xz, and writable files, as the releases have them.
chmod -R u+w "$tree"
tar --create --owner=0 --group=0 --mtime=@1 --sort=name --directory="$tree" --transform="s,^\.,$name,S" . |
  xz -6 --threads=1 >"$ROOT/nix-$version/$name.tar.xz"
sha256sum "$ROOT/nix-$version/$name.tar.xz" | cut -c1-64 | tr -d '\n' >"$ROOT/nix-$version/$name.tar.xz.sha256"
rm -rf "$tree"
