#!/bin/sh
# target.sh STATE NAME ADDRESS PORT BUSYBOX [SSHD-PACKAGES]
#
# A lightweight machine to deploy to. Run it as root in new mount, PID, UTS and IPC namespaces: it makes a root file system
# in memory with the machine's programs (read-only) and an empty /nix, and starts an SSH server at ADDRESS:PORT, where root
# can log in with a key of STATE/authorized_keys. It runs until its standard input ends and leaves nothing behind.
#
# STATE/nix-bin      the directory of the target's Nix
# STATE/nix-paths    the paths that this Nix consists of, one per line; empty if it is the distribution's in /usr
# STATE/<name>       the target's SSH host key
# BUSYBOX            built for the target's processor; used as `uname`, since the kernel, the SSH server and Nix are those
#                    of the surrounding machine
# SSHD-PACKAGES      unpacked packages with sshd, if the machine has none
set -eu

state=$1
name=$2
address=$3
port=$4
busybox=$5
packages=${6-}
root=$state/$name.root

mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$root"
cd "$root"
mkdir -p proc dev run tmp etc/ssh etc/nix boot var/lib var/tmp root home usr opt/bin nix/store nix/var/nix
chmod 1777 tmp var/tmp

for directory in bin sbin lib lib32 lib64 libx32; do
  if [ -L /$directory ]; then
    cp -P /$directory $directory
  elif [ -d /$directory ]; then
    mkdir $directory
    mount -o bind /$directory $directory
    mount -o remount,bind,ro $directory
  fi
done
if [ -n "$packages" ]; then
  # With a relative path, since a colon or a comma in an absolute one would end the option.
  if ! (cd "$packages" && mount -t overlay -o ro,lowerdir=usr:/usr overlay "$root/usr"); then
    echo "could not add an SSH server to /usr with overlayfs; install openssh-server instead" >&2
    exit 1
  fi
else
  mount -o bind /usr usr
  mount -o remount,bind,ro usr
fi

for file in ld.so.cache ld.so.conf ld.so.conf.d alternatives ssl ca-certificates localtime; do
  [ ! -e /etc/$file ] || cp -RP /etc/$file etc/$file
done
echo "root:x:0:0:root:/root:/bin/sh
sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin" > etc/passwd
echo "root:*:19000:0:99999:7:::" > etc/shadow
chmod 600 etc/shadow
printf 'root:x:0:\nnogroup:x:65534:\n' > etc/group
echo "hosts: files" > etc/nsswitch.conf
: > etc/NIXOS
echo "127.0.0.1 localhost" > etc/hosts
# This Nix only receives paths: it neither builds nor substitutes.
printf 'build-users-group =\nsubstituters =\n' > etc/nix/nix.conf

while read -r path; do
  mkdir -p "$root${path%/*}"
  if [ -d "$path" ]; then mkdir "$root$path"; else : > "$root$path"; fi
  mount -o bind "$path" "$root$path"
  mount -o remount,bind,ro "$root$path"
done < "$state/nix-paths"

cp "$busybox" opt/bin/uname
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
chmod 1777 dev/shm
for node in null zero full random urandom tty; do
  : > dev/$node
  mount -o bind /dev/$node dev/$node
done
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd

install -m 600 "$state/$name" etc/ssh/ssh_host_ed25519_key
install -m 600 "$state/authorized_keys" etc/ssh/authorized_keys
cat > etc/ssh/sshd_config <<END
ListenAddress $address
Port $port
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
PrintMotd no
PrintLastLog no
MaxStartups 100
SetEnv PATH=/opt/bin:$(cat "$state/nix-bin"):/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
END
mkdir -m 755 run/sshd
hostname "$name"

# Not chroot: Nix returns to the root of its mount namespace before it starts a program.
mkdir machine
pivot_root . machine
cd /
umount -l /machine
rmdir /machine

/usr/sbin/sshd -D -E /run/sshd.log < /dev/null > /dev/null 2>&1 &
echo ready
cat > /dev/null
