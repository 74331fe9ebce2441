# shellcheck shell=bash
# A release tarball in the official layout (nix-V-SYS/{install,.reginfo,store/…}), made from sid's Nix:
# nix-V/nix-V-SYS.tar.xz and nix-V/nix-V-SYS.tar.xz.sha256 (64 hex digits, no newline), as on the releases' server.
system=$(uname -m)-linux
tree=$ROOT/tree
# Store paths in Nix's form; the 32 characters are not real hashes.
nix=/nix/store/0000000000000000000000000000f1xn-nix
cacert=/nix/store/0000000000000000000000000000cacr-nss-cacert
store=$tree/store
mkdir -p "$store"
# The official closure has 152 MB unpacked, with libraries that Debian's Nix does not use. The two older versions of Nix
# take their place, so that the tarball has a realistic size.
fill=(/nix/store/00000000000000000000000000002z26-fill /nix/store/00000000000000000000000000002z08-fill)
ROOT=$store/${fill[0]##*/} relocated_nix trixie "${fill[0]}"
ROOT=$store/${fill[1]##*/} relocated_nix bookworm "${fill[1]}"
ROOT=$store/${nix##*/} relocated_nix sid "$nix"
mkdir -p "$store/${cacert##*/}/etc/ssl/certs"
cp /etc/ssl/certs/ca-certificates.crt "$store/${cacert##*/}/etc/ssl/certs/ca-bundle.crt"

# Asks this Nix for its version and its hash. It brings all its libraries, so a nearly empty root is enough.
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
# One xz block, and writable files, as in the releases.
chmod -R u+w "$tree"
tar --create --owner=0 --group=0 --mtime=@1 --sort=name --directory="$tree" --transform="s,^\.,$name,S" . |
  xz -6 --threads=1 >"$ROOT/nix-$version/$name.tar.xz"
sha256sum "$ROOT/nix-$version/$name.tar.xz" | cut -c1-64 | tr -d '\n' >"$ROOT/nix-$version/$name.tar.xz.sha256"
rm -rf "$tree"
