# shellcheck shell=bash
# A target whose programs are all aarch64, run by qemu: sshd and nix-daemon, no systemd.
# libdbi-perl: nix-bin depends on a virtual package that it provides; debootstrap does not resolve those.
emulate_aarch64
bootstrap trixie nix-bin,libdbi-perl,openssh-server,iproute2,procps,sudo,netcat-openbsd --arch=arm64
slim
rm -f "$ROOT"/etc/ssh/ssh_host_*
# For deployments with a `user` other than root, who uses sudo.
chroot "$ROOT" useradd --create-home --uid 1000 --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD:ALL' >"$ROOT/etc/sudoers.d/deploy"
