# shellcheck shell=bash
# What the recipes of this folder share. Each recipe is run with ROOT (the directory to fill) and ROOTS (where the
# finished roots lie, by name) in a user namespace whose root is the machine's, with a binfmt_misc of its own.

# The Debian mirror of this machine's own apt configuration; FERRY_DEBIAN_MIRROR goes first; empty (debootstrap's own
# default) on a machine that is not Debian.
debian_mirror() {
  if [ -n "${FERRY_DEBIAN_MIRROR:-}" ]; then
    echo "$FERRY_DEBIAN_MIRROR"
    return
  fi
  # shellcheck disable=SC2016  # apt's own format words
  apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$3 == "main" && $1 ~ /\/debian\/?$/ && $2 !~ /security|updates|backports/ { print $1; exit }'
}

# bootstrap SUITE PACKAGE,PACKAGE,… [debootstrap's further options]
bootstrap() {
  local suite=$1 packages=$2 mirror
  shift 2
  mirror=$(debian_mirror)
  # container=lxc: device nodes cannot be made in a user namespace, so debootstrap binds the machine's.
  container=lxc debootstrap --variant=minbase --include="$packages" \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$@" "$suite" "$ROOT" ${mirror:+"$mirror"}
}

# What no machine needs: the package lists and archives, and debootstrap's bind-mounted devices.
slim() {
  umount "$ROOT"/dev/* "$ROOT/proc" 2>/dev/null || true
  rm -rf "$ROOT"/var/cache/apt/*.bin "$ROOT"/var/cache/apt/archives/*.deb "$ROOT"/var/lib/apt/lists/* \
    "$ROOT"/usr/share/doc "$ROOT"/usr/share/man "$ROOT"/usr/share/locale "$ROOT"/etc/machine-id
  find "$ROOT/dev" -mindepth 1 -delete
  : >"$ROOT/etc/machine-id"
}

# relocated_nix SUITE PREFIX: Debian's nix-bin of SUITE with all its libraries as PREFIX/{bin,lib,etc,share}, which runs on
# any root that shows it there; ROOT is what PREFIX will be.
relocated_nix() {
  local suite=$1 prefix=$2 mirror work file
  mirror=$(debian_mirror)
  work=$ROOT.work
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/tree" "$ROOT/bin" "$ROOT/lib" "$ROOT/share"
  : >"$work/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-$(debootstrap_mirror)} $suite main" \
    >"$work/sources.list"
  cat >"$work/apt.conf" <<CONF
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "-";
Dir::State::Lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache::archives "$work/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
CONF
  APT_CONFIG=$work/apt.conf apt-get -q update
  APT_CONFIG=$work/apt.conf apt-get -qy --no-install-recommends --download-only install nix-bin
  for file in "$work"/archives/*.deb; do dpkg-deb --extract "$file" "$work/tree"; done

  cp -a "$work"/tree/usr/bin/nix* "$ROOT/bin/"
  # Every library the program needs, also those that its libraries need; found by the tree's own loader.
  local libraries=("$work/tree/lib/x86_64-linux-gnu" "$work/tree/usr/lib/x86_64-linux-gnu" "$work/tree/usr/lib/nix")
  local loader
  loader=$(find "$work/tree" -name 'ld-linux-x86-64.so.2' -path '*x86_64*' | head -n 1)
  "$loader" --library-path "$(IFS=:; echo "${libraries[*]}")" --list "$ROOT/bin/nix" |
    awk '$2 == "=>" { print $3 } $1 ~ /^\// && $2 != "=>" { print $1 }' | sort -u |
    while read -r file; do cp -L "$file" "$ROOT/lib/"; done
  cp -L "$loader" "$ROOT/lib/ld-linux-x86-64.so.2"
  for file in "$ROOT"/lib/*; do
    case $file in */ld-linux*) continue ;; esac
    chmod u+w "$file"
    patchelf --set-rpath "$prefix/lib" "$file"
  done
  for file in "$ROOT"/bin/*; do
    [ -L "$file" ] || patchelf --set-interpreter "$prefix/lib/ld-linux-x86-64.so.2" --set-rpath "$prefix/lib" "$file"
  done
  rm -rf "$work"
}

# Debian's own address, as debootstrap knows it: for machines whose apt names no Debian mirror.
debootstrap_mirror() {
  sed -n 's/^default_mirror \(http.*\)$/\1/p' /usr/share/debootstrap/scripts/trixie | head -n 1
}

# Lets this user namespace run aarch64 programs. The third field is the ELF header of such a program, the fourth says which
# of its bits count; F opens qemu now, so that a chroot need not have it.
emulate_aarch64() {
  local elf='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  printf '%s' ":qemu-aarch64:M::$elf:$mask:$(command -v qemu-aarch64-static || command -v qemu-aarch64):F" \
    >/proc/sys/fs/binfmt_misc/register
}
