# shellcheck shell=bash
# relocated_nix SUITE PREFIX: fills ROOT with Debian's nix-bin of SUITE and all its libraries ({bin,lib,libexec}). It runs
# in any root in which ROOT is mounted as PREFIX, together with the two paths that are compiled in:
# /usr/libexec/nix/build-remote (a link to nix) and /usr/bin/bash-static (the sandbox's /bin/sh).
relocated_nix() {
  local suite=$1 prefix=$2 mirror work file
  mirror=$(debian_mirror)
  work=$ROOT.work
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/tree" "$ROOT/bin" "$ROOT/lib" "$ROOT/libexec"
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
  APT_CONFIG=$work/apt.conf apt-get -qy --no-install-recommends --download-only install nix-bin bash-static
  for file in "$work"/archives/*.deb; do dpkg-deb --extract "$file" "$work/tree"; done

  cp -a "$work"/tree/usr/bin/nix* "$ROOT/bin/"
  ln -s ../bin/nix "$ROOT/libexec/build-remote"
  cp -L "$(find "$work/tree" -path '*/bin/bash-static' -type f | head -n 1)" "$ROOT/libexec/bash-static"
  # All libraries that the program needs, directly or indirectly, as its own loader finds them.
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

# debootstrap's default mirror, for machines whose apt configuration names no Debian mirror.
debootstrap_mirror() {
  sed -n 's/^default_mirror \(http.*\)$/\1/p' /usr/share/debootstrap/scripts/trixie | head -n 1
}
