#!/usr/bin/env bash
# Runs all tests, unit and end-to-end, in separate namespaces (see __tests__/e2e/README.md). Everything that the tests
# mount, start or listen on ends with this script, even after SIGKILL, and nothing outside is changed. Needs root, or sudo
# without a password. The last line is `N passed, N failed`. SHELL_IN_TESTBED=1 starts a shell there instead.
#
# usage: test.sh [PATTERN…] [JEST OPTION…]   the test files whose path matches a PATTERN; by default all
#        test.sh --bench [PATTERN…]          the benchmarks (`npm run bench`)
set -euo pipefail
cd "$(dirname "$0")/.."
# debootstrap is in these directories, which may not be on the PATH of users other than root.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
began=$SECONDS
say() { echo "testbed: $*" >&2; }

# The tests run dist/. If the sources are newer than dist/, in Git and on disk, it is built first.
sources=(src nix target package-lock.json)
committed() { git -c safe.directory='*' log -1 --format=%ct -- "$@" 2>/dev/null; }
changed() {
  [ -n "$(git -c safe.directory='*' status --porcelain "${sources[@]}" 2>/dev/null)" ] ||
    [ "0$(committed "${sources[@]}")" -gt "0$(committed dist)" ]
}
if [ ! -e dist/index.js ] || { changed && [ -n "$(find "${sources[@]}" -newer dist/index.js)" ]; }; then
  say 'building dist/: it is older than its sources'
  # If ncc fails, it prints its whole bundle; the error is in the last lines.
  log=$(npm run --silent build 2>&1) || { tail -n 8 <<<"$log" | cut -c 1-300 >&2 && exit 1; }
fi

cache=${FERRY_TESTBED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nix-ferry/testbed}
mkdir -p "$cache"
if [ "$(id -u)" != 0 ]; then
  if ! sudo -n true; then
    say 'the tests need root, or sudo without a password, for namespaces, mounts and packages'
    exit 1
  fi
  exec sudo -n env PATH="$PATH" FERRY_TESTBED_CACHE="$cache" FERRY_DEBIAN_MIRROR="${FERRY_DEBIAN_MIRROR:-}" \
    SHELL_IN_TESTBED="${SHELL_IN_TESTBED:-}" CI="${CI:-}" "$PWD/scripts/test.sh" "$@"
fi

IFS=.- read -r major minor _ < <(uname -r)
if [ "$major" -lt 6 ] || { [ "$major" = 6 ] && [ "$minor" -lt 7 ]; }; then
  say "the tests need Linux 6.7 or newer, for a binfmt_misc in each user namespace; this is Linux $(uname -r)"
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
  apt-get -qy -o DPkg::Lock::Timeout=300 --no-install-recommends install "${packages[@]}" >&2
fi

roots=$(setpriv --pdeathsig TERM scripts/testbed-roots.sh "$cache")
shows=()
while read -r name root; do
  shows+=("--bind-read-only=$root:/testbed/$name")
  case $name in
    runner) runner=$root ;;
    nix-*) shows+=("--bind-read-only=$root:/opt/nix/${name#nix-}") ;;&
    # Paths that Debian compiled into Nix: the sandbox's shell, and the build hook of 2.8.
    nix-2.26) shows+=("--bind-read-only=$root/libexec/bash-static:/usr/bin/bash-static") ;;
    nix-2.8) shows+=("--bind-read-only=$root/bin/nix:/usr/libexec/nix/build-remote") ;;
  esac
done <<<"$roots"

# A cgroup for this run alone: several runs may share a machine, from different pid namespaces too. A process that outlives
# this script ends what is left in the cgroup and removes it.
cgroup=$(mktemp -d "$(findmnt --noheadings --output TARGET --types cgroup2 | head -n 1)/nix-ferry-testbed.XXXXXXXX")
chmod 755 "$cgroup"
cgroups=("$cgroup")
# One in which tests limit memory: only cgroups of version 1 have a tree for memory alone, which a namespace can be given.
limits=$(findmnt --noheadings --output TARGET --types cgroup --options memory | head -n 1)
if [ -n "$limits" ]; then
  limited=$(mktemp -d "$limits/nix-ferry-testbed.XXXXXXXX")
  cgroups+=("$limited")
  shows+=("--bind=$limited:/testbed/memory")
fi
# shellcheck disable=SC2016
setsid bash -c '
  tail --pid="$1" -f /dev/null
  shift
  for _ in {1..100}; do
    echo 1 >"$1/cgroup.kill"
    find "$@" -depth -type d -exec rmdir {} + && exit
    sleep 0.3
  done' bash $$ "${cgroups[@]}" </dev/null >/dev/null 2>&1 &

mkdir -p "$cache/mount" "$cache/jest"
say "ready after $((SECONDS - began)) s"
code=0
setpriv --pdeathsig KILL scripts/testbed-namespaces.sh -m -p -n -i -u "$PWD/__tests__/e2e/support/machine.sh" \
  --root="$runner" --scratch="$cache/mount" --name=testbed --cgroup="$cgroup" --binfmt "${shows[@]}" \
  --readable="$PWD:/repository" --bind="$cache/jest:/var/cache/jest" \
  --bind-read-only="$(readlink -f "$(command -v qemu-aarch64-static)"):/testbed/qemu-aarch64" \
  --environment=HOME=/root --environment=TERM="${TERM:-dumb}" --environment=CI="${CI:-}" \
  --environment=SHELL_IN_TESTBED="${SHELL_IN_TESTBED:-}" --environment=FERRY_TESTBED=/testbed \
  -- /repository/scripts/testbed-jest.sh "$@" || code=$?
exit "$code"
