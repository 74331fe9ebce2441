# shellcheck shell=bash
# A target whose every program is aarch64's, run by qemu: sshd and nix-daemon, no systemd.
# libdbi-perl: what nix-bin needs by a virtual name, which debootstrap cannot resolve.
emulate_aarch64
bootstrap trixie nix-bin,libdbi-perl,openssh-server,iproute2,procps,sudo --arch=arm64
slim
rm -f "$ROOT"/etc/ssh/ssh_host_*
# A user that is not root, who may become root: what deployments with a `user` and sudo need.
chroot "$ROOT" useradd --create-home --uid 1000 --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD:ALL' >"$ROOT/etc/sudoers.d/deploy"
