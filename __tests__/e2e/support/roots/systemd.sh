# shellcheck shell=bash
# A target with systemd as PID 1, sshd and a multi-user Nix (trixie's, 2.26).
# libdbi-perl: what nix-bin needs by a virtual name, which debootstrap cannot resolve.
bootstrap trixie systemd,systemd-sysv,dbus,nix-bin,libdbi-perl,nix-setup-systemd,openssh-server,iproute2,procps,sudo
slim
# A machine of the testbed has the network it is given, and nobody sits at its console.
chroot "$ROOT" systemctl mask console-getty.service getty.target systemd-networkd.service systemd-resolved.service \
  systemd-timesyncd.service dev-hugepages.mount sys-fs-fuse-connections.mount \
  sys-kernel-debug.mount sys-kernel-tracing.mount systemd-modules-load.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
rm -f "$ROOT"/etc/ssh/ssh_host_*
# A user that is not root, who may become root: what deployments with a `user` and sudo need.
chroot "$ROOT" useradd --create-home --uid 1000 --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD:ALL' >"$ROOT/etc/sudoers.d/deploy"
