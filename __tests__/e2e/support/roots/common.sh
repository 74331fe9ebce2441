# shellcheck shell=bash
# Shared by the recipes of this folder. A recipe fills the directory ROOT. It runs as root of a user namespace with the
# machine's ids and network and its own binfmt_misc.

# Prints FERRY_DEBIAN_MIRROR, or else the Debian mirror in this machine's apt configuration. Prints nothing on a machine that
# is not Debian; debootstrap then uses its default.
debian_mirror() {
  if [ -n "${FERRY_DEBIAN_MIRROR:-}" ]; then
    echo "$FERRY_DEBIAN_MIRROR"
    return
  fi
  # shellcheck disable=SC2016 # apt's format words
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

# Removes what no machine needs: package lists and archives, and debootstrap's bind-mounted devices.
slim() {
  umount "$ROOT"/dev/* "$ROOT/proc" 2>/dev/null || true
  rm -rf "$ROOT"/var/cache/apt/*.bin "$ROOT"/var/cache/apt/archives/*.deb "$ROOT"/var/lib/apt/lists/* \
    "$ROOT"/usr/share/doc "$ROOT"/usr/share/man "$ROOT"/usr/share/locale "$ROOT"/etc/machine-id
  find "$ROOT/dev" -mindepth 1 -delete
  : >"$ROOT/etc/machine-id"
}

# Lets this user namespace run aarch64 programs. The third field is the ELF header of such a program, the fourth is the mask
# of the bits to compare. F opens qemu now, so that it works in a chroot without qemu.
emulate_aarch64() {
  local elf='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  printf '%s' ":qemu-aarch64:M::$elf:$mask:$(command -v qemu-aarch64-static || command -v qemu-aarch64):F" \
    >/proc/sys/fs/binfmt_misc/register
}
