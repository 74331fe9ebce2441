#!/bin/sh
# download-debs.sh DIRECTORY PACKAGE:ARCHITECTURE…
# download-debs.sh --missing DIRECTORY PACKAGE…        also their dependencies that are not installed
#
# Downloads .deb files of the machine's distribution into DIRECTORY; apt checks them against the distribution's keys.
# The machine's apt and dpkg are not changed: state, cache and foreign architectures are kept in a temporary directory.
# Does not need root. ARM64_MIRROR: URI of an archive with arm64 packages, if the machine's archive has none. For Ubuntu,
# which keeps them in a separate archive, it is derived from the machine's: archive.…/ubuntu, ports.…/ubuntu-ports.
set -eu

missing=
if [ "$1" = --missing ]; then
  missing=yes
  shift
fi
destination=$1
shift
mkdir -p "$destination"
destination=$(cd "$destination" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

native=$(dpkg --print-architecture)
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
# Without --missing, it does not matter what is installed; dpkg's status may not know the foreign architecture.
if [ -n "$missing" ]; then cp /var/lib/dpkg/status "$work/status"; else : > "$work/status"; fi
cat > "$work/apt.conf" <<END
APT::Architecture "$native";
APT::Architectures { $(printf '%s\n' "$native" "$@" | sed -n "1p; s/.*://p" | sort -u | sed 's/.*/"&";/' | tr '\n' ' ')};
APT::Sandbox::User "";
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Acquire::Languages "none";
Acquire::Retries "2";
END
export APT_CONFIG="$work/apt.conf"

# shellcheck source=/dev/null
. /etc/os-release
mirror=${ARM64_MIRROR-}
if [ -z "$mirror" ] && [ "$ID $native" = "ubuntu amd64" ]; then
  case " $* " in
  *:arm64\ *)
    mirror=$(grep -rhoE 'https?://([a-z0-9-]+[.])*archive[.][^ /]+/ubuntu' /etc/apt | head -n 1 |
      sed -E 's#//([a-z0-9-]+[.])*archive[.]#//ports.#; s#/ubuntu$#/ubuntu-ports#')
    ;;
  esac
fi
if [ -n "$mirror" ]; then
  mkdir -p "$work/sources"
  [ ! -d /etc/apt/sources.list.d ] || cp -R /etc/apt/sources.list.d/. "$work/sources"
  echo "deb [arch=arm64 signed-by=/usr/share/keyrings/$ID-archive-keyring.gpg] $mirror $VERSION_CODENAME main universe" \
    > "$work/sources/arm64.list"
  echo "Dir::Etc::sourceparts \"$work/sources\";" >> "$work/apt.conf"
fi

# A source that fails may not matter: it may be a third party's, or have no packages of the foreign architecture.
apt-get -qq update > "$work/log" 2>&1 || true

if [ -n "$missing" ]; then
  # What would be installed: `Inst NAME [INSTALLED] (VERSION …`.
  if ! apt-get --simulate --no-install-recommends install "$@" > "$work/plan" 2>> "$work/log"; then
    echo "download-debs: $* cannot be installed from this machine's apt sources:" >&2
    grep -E '^[EW]:' "$work/log" | tail -n 5 >&2
    echo "Check /etc/apt/sources.list.d and the network." >&2
    exit 1
  fi
  # shellcheck disable=SC2046 # One word for each package.
  set -- $(sed -nE 's/^Inst ([^ ]+) (\[[^]]*\] )?\(([^ ]+) .*/\1=\3/p' "$work/plan")
fi

cd "$destination"
for package; do
  if ! apt-get -qq download "$package" >> "$work/log" 2>&1; then
    echo "download-debs: $package could not be downloaded from this machine's apt sources:" >&2
    grep -E '^[EW]:' "$work/log" | tail -n 5 >&2
    case $package in
    *:"$native") echo "Check /etc/apt/sources.list.d and the network." >&2 ;;
    *:arm64) echo "Set ARM64_MIRROR to the URI of an archive that has arm64 packages of $PRETTY_NAME." >&2 ;;
    *) echo "The sources in /etc/apt/sources.list.d must offer ${package##*:} packages." >&2 ;;
    esac
    exit 1
  fi
done
