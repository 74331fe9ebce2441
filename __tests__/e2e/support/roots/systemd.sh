# shellcheck shell=bash
# A target with systemd as PID 1, sshd and a multi-user Nix (trixie's, 2.26).
# libdbi-perl: nix-bin depends on a virtual package that it provides; debootstrap does not resolve those.
bootstrap trixie systemd,systemd-sysv,dbus,nix-bin,libdbi-perl,nix-setup-systemd,openssh-server,iproute2,procps,sudo
slim
# The network is configured from outside, and there is no console.
chroot "$ROOT" systemctl mask console-getty.service getty.target systemd-networkd.service systemd-resolved.service \
  systemd-timesyncd.service dev-hugepages.mount sys-fs-fuse-connections.mount \
  sys-kernel-debug.mount sys-kernel-tracing.mount systemd-modules-load.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
rm -f "$ROOT"/etc/ssh/ssh_host_*
# For deployments with a `user` other than root, who uses sudo.
chroot "$ROOT" useradd --create-home --uid 1000 --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD:ALL' >"$ROOT/etc/sudoers.d/deploy"
# They run at each daemon-reload. Only the units of /etc/fstab are needed here.
mkdir -p "$ROOT/etc/systemd/system-generators"
for generator in "$ROOT"/usr/lib/systemd/system-generators/*; do
  case $generator in */systemd-fstab-generator) continue ;; esac
  ln -s /dev/null "$ROOT/etc/systemd/system-generators/${generator##*/}"
done
