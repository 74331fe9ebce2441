#!/usr/bin/env bash
# Makes a machine of the new namespaces (user, mount, pid, network, ipc, uts) it is started in, and becomes its PID 1. The
# machine's root is an overlay: the cached root below, and above it a tmpfs, which ends with the machine, or its disk.
#
# usage: machine.sh OPTION… -- COMMAND [ARGUMENT…]
#   --root=DIR             the cached root, which is never written
#   --scratch=DIR          an empty directory to mount on
#   --name=NAME            host name
#   --bind=SRC:DST         mounts SRC on DST, which is created
#   --bind-read-only=SRC:DST
#   --readable=SRC:DST     like --bind-read-only, and every user can read all files, whatever their modes
#   --volatile=DST         mounts a tmpfs on DST
#   --disk=DIR             what the machine writes, and its EFI variables; a machine that is started with a used one boots
#                          from it: the init that its boot loader starts becomes PID 1 instead of COMMAND
#   --copy=DIR             copies the content of DIR over the root, with modes; root owns it; not onto a used disk
#   --cgroup=DIR           creates the cgroup DIR, if missing, and joins it; mounts it as the machine's cgroup2 file system
#   --binfmt               mounts this user namespace's binfmt_misc, which is empty
#   --emulate=FILE         like --binfmt, and registers FILE, a static qemu, for aarch64; the root does not need the file
#   --environment=NAME=VALUE   a variable for COMMAND, which gets no others but PATH
set -euo pipefail
shopt -s nullglob

all=("$@")
root='' scratch='' disk='' copy='' name=machine cgroup='' emulate='' binfmt=no mounts=() environment=()
while [ "$1" != -- ]; do
  case $1 in
    --root=*) root=${1#*=} ;;
    --scratch=*) scratch=${1#*=} ;;
    --name=*) name=${1#*=} ;;
    --bind=* | --bind-read-only=* | --readable=* | --volatile=*) mounts+=("$1") ;;
    --disk=*) disk=${1#*=} ;;
    --copy=*) copy=${1#*=} ;;
    --cgroup=*) cgroup=${1#*=} ;;
    --binfmt) binfmt=yes ;;
    --emulate=*) emulate=${1#*=} binfmt=yes ;;
    --environment=*) environment+=("${1#*=}") ;;
    *) echo "machine.sh: unknown option $1" >&2 && exit 2 ;;
  esac
  shift
done
shift

if [ -n "$cgroup" ] && [ "${MACHINE_CGROUP:-}" != "$cgroup" ]; then
  mkdir -p "$cgroup"
  echo 0 >"$cgroup/cgroup.procs"
  # The root of a new cgroup namespace is the cgroup of the process that creates it.
  MACHINE_CGROUP=$cgroup exec unshare -C "$0" "${all[@]}"
fi

mount --make-rprivate /
mount -t tmpfs -o mode=0755,size=75% machine "$scratch"
mkdir "$scratch/root" "$scratch/tmp"
chmod 1777 "$scratch/tmp"
at=$scratch/root
if [ -z "$disk" ]; then disk=$scratch; fi
used=no
if [ -d "$disk/upper" ]; then used=yes; fi
mkdir -p "$disk/upper" "$disk/work" "$disk/efivars"
mount -t overlay -o "userxattr,lowerdir=$root,upperdir=$disk/upper,workdir=$disk/work" machine "$at"

mkdir -p "$at"/{proc,sys,dev,run,tmp}
mount -t proc -o nosuid,nodev,noexec proc "$at/proc"
mount -t sysfs -o nosuid,nodev,noexec sysfs "$at/sys"
if [ "$disk" != "$scratch" ]; then
  # Each boot needs its own id; the kernel's is shared by all machines. With this mount, no inner namespace can mount /proc.
  cat /proc/sys/kernel/random/uuid >"$scratch/boot-id"
  mount --bind "$scratch/boot-id" "$at/proc/sys/kernel/random/boot_id"
  mount -t tmpfs -o mode=0755,nosuid,nodev firmware "$at/sys/firmware"
  mkdir -p "$at/sys/firmware/efi/efivars"
  mount --bind "$disk/efivars" "$at/sys/firmware/efi/efivars"
fi
if [ -n "$cgroup" ]; then mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$at/sys/fs/cgroup"; fi
mount -t tmpfs -o mode=0755,nosuid,nodev run "$at/run"
mount --bind "$scratch/tmp" "$at/tmp"

mount -t tmpfs -o mode=0755,nosuid dev "$at/dev"
for device in null zero full random urandom tty; do
  : >"$at/dev/$device"
  mount --bind "/dev/$device" "$at/dev/$device"
done
mkdir -p "$at/dev/pts" "$at/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$at/dev/pts"
mount -t tmpfs -o mode=1777 shm "$at/dev/shm"
ln -s pts/ptmx "$at/dev/ptmx"
ln -s /proc/self/fd "$at/dev/fd"
ln -s /proc/self/fd/0 "$at/dev/stdin"
ln -s /proc/self/fd/1 "$at/dev/stdout"
ln -s /proc/self/fd/2 "$at/dev/stderr"

for entry in "${mounts[@]}"; do
  destination=$at${entry##*[:=]}
  if [[ $entry == --volatile=* ]]; then
    mkdir -p "$destination"
    mount -t tmpfs -o mode=0755 volatile "$destination"
    continue
  fi
  source=${entry#*=}
  source=${source%%:*}
  if [ -d "$source" ]; then
    mkdir -p "$destination"
  else
    mkdir -p "${destination%/*}"
    : >>"$destination"
  fi
  mount --rbind "$source" "$destination"
  # For example after a clone with umask 077. Changing the modes in an overlay copies these files into memory.
  if [[ $entry == --readable=* ]] &&
    [ -n "$(find "$source" '(' -type d ! -perm -o=rx -o -type f ! -perm -o=r ')' -print -quit)" ]; then
    mkdir "$scratch/readable" "$scratch/readable-work"
    mount -t overlay -o "userxattr,lowerdir=$destination,upperdir=$scratch/readable,workdir=$scratch/readable-work" \
      readable "$destination"
    chmod -R a+rX "$destination"
  fi
  if [[ $entry != --bind=* ]]; then mount -o remount,bind,ro "$destination"; fi
done

if [ "$binfmt" = yes ]; then mount -t binfmt_misc binfmt_misc "$at/proc/sys/fs/binfmt_misc"; fi
if [ -n "$emulate" ]; then
  # The ELF header of an aarch64 program, and the mask of the bits to compare. F: open qemu now; C: make sudo work.
  elf='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  printf '%s' ":qemu-aarch64:M::$elf:$mask:$emulate:FC" >"$at/proc/sys/fs/binfmt_misc/register"
fi

hostname "$name" 2>/dev/null || printf '%s' "$name" >"$at/proc/sys/kernel/hostname"
ip link set lo up 2>/dev/null || true
echo 0 >"$at/proc/sys/net/ipv4/ip_unprivileged_port_start" 2>/dev/null || true

if [ "$used" = no ]; then
  echo "$name" >"$at/etc/hostname"
  printf '127.0.0.1 localhost %s\n::1 localhost\n' "$name" >"$at/etc/hosts"
  if [ -n "$copy" ]; then cp -R --preserve=mode "$copy/." "$at/"; fi
else
  init=$("${0%/*}/firmware.sh" "$at" "$disk/efivars")
  if [ -n "$init" ]; then set -- "$init"; fi
fi

# Without the old root, programs in the machine may create user namespaces, which they may not in a chroot.
mkdir -p "$at/.old"
cd "$at"
pivot_root . .old
umount -l /.old
rmdir /.old
# machine.ts waits for this line.
echo "machine: $name is up"
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${environment[@]}" "$@"
