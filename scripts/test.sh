#!/usr/bin/env bash
# What `npm test` runs: all tests, unit and end to end, inside private namespaces on a root of the testbed's own, so that
# whatever they mount, start or listen on is gone when they end, even by SIGKILL, and nothing of the machine's (its /nix,
# its binfmt_misc, its ports) is touched. Needs root, or sudo without a password. Arguments go to jest; SHELL_IN_TESTBED=1
# gives a shell in there instead. The last line is the count.
#
# usage: test.sh [JEST ARGUMENT…]
set -euo pipefail
cd "$(dirname "$0")/.."
began=$SECONDS
say() { echo "testbed: $*" >&2; }

# The tests run what ships. Somebody who changed the source and not yet dist/ means to test the change.
sources=(src nix target package-lock.json)
committed() { git -c safe.directory='*' log -1 --format=%ct -- "$@" 2>/dev/null; }
changed() {
  [ -n "$(git -c safe.directory='*' status --porcelain "${sources[@]}" 2>/dev/null)" ] ||
    [ "0$(committed "${sources[@]}")" -gt "0$(committed dist)" ]
}
if [ ! -e dist/index.js ] || { changed && [ -n "$(find "${sources[@]}" -newer dist/index.js)" ]; }; then
  say 'building dist/: it is older than its source'
  # A failure of ncc prints all of ncc; its last lines tell.
  log=$(npm run --silent build 2>&1) || { tail -n 8 <<<"$log" | cut -c 1-300 >&2 && exit 1; }
fi

cache=${FERRY_TESTBED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nix-ferry/testbed}
mkdir -p "$cache"
if [ "$(id -u)" != 0 ]; then
  if ! sudo -n true; then
    echo 'The testbed needs root, or sudo without a password (for namespaces, mounts and packages).' >&2
    exit 1
  fi
  exec sudo -n env PATH="$PATH" FERRY_TESTBED_CACHE="$cache" FERRY_DEBIAN_MIRROR="${FERRY_DEBIAN_MIRROR:-}" \
    SHELL_IN_TESTBED="${SHELL_IN_TESTBED:-}" CI="${CI:-}" "$PWD/scripts/test.sh" "$@"
fi

IFS=.- read -r major minor _ < <(uname -r)
if [ "$major" -lt 6 ] || { [ "$major" = 6 ] && [ "$minor" -lt 7 ]; }; then
  say "Linux $(uname -r) has one binfmt_misc for the whole machine; the tests need one of their own, which is Linux 6.7's."
  exit 1
fi

packages=()
wants() { command -v "$1" >/dev/null || packages+=("$2"); }
wants debootstrap debootstrap
wants qemu-aarch64-static qemu-user-static
wants patchelf patchelf
wants ip iproute2
wants setpriv util-linux
wants flock util-linux
wants xz xz-utils
wants shellcheck shellcheck
wants go golang-go
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || packages+=(debian-archive-keyring)
[ -e /etc/ssl/certs/ca-certificates.crt ] || packages+=(ca-certificates)
if [ ${#packages[@]} -gt 0 ]; then
  say "installing from the distribution: ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q update >&2
  apt-get -qy --no-install-recommends install "${packages[@]}" >&2
fi

roots=$(setpriv --pdeathsig TERM scripts/testbed-roots.sh "$cache")
shows=()
while read -r name root; do
  shows+=("--bind-read-only=$root:/testbed/$name")
  case $name in
    runner) runner=$root ;;
    nix-*) shows+=("--bind-read-only=$root:/opt/nix/${name#nix-}") ;;&
    # What Debian compiled into Nix: the sandbox's shell, and 2.8's build hook.
    nix-2.26) shows+=("--bind-read-only=$root/libexec/bash-static:/usr/bin/bash-static") ;;
    nix-2.8) shows+=("--bind-read-only=$root/bin/nix:/usr/libexec/nix/build-remote") ;;
  esac
done <<<"$roots"

# One cgroup for the whole run. It outlives its processes, so somebody who outlives us takes it away.
cgroups=$(findmnt --noheadings --output TARGET --types cgroup2 | head -n 1)
for old in "$cgroups"/nix-ferry-testbed.*; do
  if [ -d "$old" ] && [ ! -e "/proc/${old##*.}" ]; then find "$old" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
done
cgroup=$cgroups/nix-ferry-testbed.$$
# shellcheck disable=SC2016
setsid bash -c 'tail --pid="$1" -f /dev/null; sleep 1; find "$2" -depth -type d -exec rmdir {} +' bash $$ "$cgroup" \
  </dev/null >/dev/null 2>&1 &

mkdir -p "$cache/mount" "$cache/jest"
say "ready after $((SECONDS - began)) s"
code=0
setpriv --pdeathsig KILL scripts/testbed-namespaces.sh -m -p -n -i -u "$PWD/__tests__/e2e/support/machine.sh" \
  --root="$runner" --scratch="$cache/mount" --name=bench --cgroup="$cgroup" --binfmt "${shows[@]}" \
  --bind-read-only="$PWD:$PWD" --bind="$cache/jest:/var/cache/jest" \
  --bind-read-only="$(readlink -f "$(command -v qemu-aarch64-static)"):/testbed/qemu-aarch64" \
  --environment=HOME=/root --environment=TERM="${TERM:-dumb}" --environment=CI="${CI:-}" \
  --environment=SHELL_IN_TESTBED="${SHELL_IN_TESTBED:-}" --environment=FERRY_TESTBED=/testbed \
  -- "$PWD/scripts/testbed-jest.sh" "$@" || code=$?
exit "$code"
