# shellcheck shell=bash
# Like a hosted runner: user `runner` with sudo without a password, Node, Git, an SSH client; neither Nix nor qemu.
# The machine has no network, so apt-get installs from a package repository in the root. With `copy` instead of `file`, apt
# puts the packages into its cache, as it does with packages from a network.
bootstrap trixie sudo,nodejs,git,openssh-client,ca-certificates,xz-utils,zstd,zip,unzip,jq,iproute2,procps,shellcheck
chroot "$ROOT" useradd --create-home --uid 1001 --shell /bin/bash runner
echo 'runner ALL=(ALL) NOPASSWD:ALL' >"$ROOT/etc/sudoers.d/runner"
printf '[safe]\n\tdirectory = *\n' >"$ROOT/etc/gitconfig"

repository=/var/local/apt
mkdir -p "$ROOT$repository/partial"
mount --bind /dev/null "$ROOT/dev/null" 2>/dev/null || true
cp /etc/resolv.conf "$ROOT/etc/resolv.conf" 2>/dev/null || true
chroot "$ROOT" dpkg --add-architecture arm64
chroot "$ROOT" apt-get -q update
chroot "$ROOT" apt-get -qy -o Dir::Cache::archives="$repository" -o APT::Sandbox::User=root --no-install-recommends \
  --download-only install nix-bin nix-setup-systemd qemu-user-static qemu-user qemu-user-binfmt openssh-server busybox-static \
  debootstrap
(cd "$ROOT$repository" && chroot "$ROOT" sh -c "cd $repository && apt-get -q -o APT::Sandbox::User=root download busybox-static:arm64")
chroot "$ROOT" dpkg --remove-architecture arm64
rm -rf "$ROOT$repository/partial" "$ROOT$repository/lock"
# apt reads a percent sign in a file name as an escape.
for deb in "$ROOT$repository"/*%3a*.deb; do mv "$deb" "${deb//%3a/.}"; done
for deb in "$ROOT$repository"/*.deb; do
  dpkg-deb --field "$deb"
  echo "Filename: ./${deb##*/}"
  echo "Size: $(stat -c %s "$deb")"
  echo "SHA256: $(sha256sum "$deb" | cut -d' ' -f1)"
  echo
done >"$ROOT$repository/Packages"
slim
rm -f "$ROOT"/etc/apt/sources.list.d/* "$ROOT/etc/resolv.conf"
echo "deb [trusted=yes] copy:$repository ./" >"$ROOT/etc/apt/sources.list"
chroot "$ROOT" apt-get -q update
