#!/bin/sh
# The parts of the set-up that need root, one verb per call. RUN is the directory of one run, /run/nix-ferry-<id> or
# similar: everything that a run changes on the machine is in it or has its name, so that `end RUN` removes it whatever
# happened before. Settings and secrets are read from standard input and are never passed as arguments.
set -eu
umask 022
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
verb=$1
RUN=$2
shift 2
name=${RUN##*/}
case $name in nix-ferry-?*) ;; *) echo "$RUN is not the directory of a run" >&2 && exit 64 ;; esac
binfmt=/proc/sys/fs/binfmt_misc
lock=/run/nix-ferry.lock

# Whether only root can have made a directory of a run. Other users can make some with such names in /dev/shm.
made_by_root() {
  [ -d "$1" ] && [ ! -L "$1" ] && [ "$(stat -c '%u' "$1")" = 0 ]
}

[ "$verb" = prepare ] || [ ! -e "$RUN" ] || made_by_root "$RUN" || { echo "$RUN does not belong to root" >&2 && exit 64; }

# prepare RUN UID GID: daemon/ belongs to root, only root can read keys/, and client/ belongs to the user.
prepare() {
  # Not with -p: it must not exist yet.
  mkdir "$RUN"
  mkdir "$RUN/daemon" "$RUN/client" "$RUN/keys"
  chmod 0700 "$RUN/client" "$RUN/keys"
  chown "$1:$2" "$RUN/client"
  echo outside >"$RUN/outside"
  # Root's Nix takes ownership of the store. If the store belongs to a user, `end` gives it back; another run that is
  # active may have recorded the owner already.
  {
    stat -c '%u:%g %a' /nix/store || true
    for other in "${RUN%/*}"/nix-ferry-*; do ! made_by_root "$other" || cat "$other/daemon/owner" || true; done
  } 2>/dev/null | grep -v '^0:' | head -n 1 >"$RUN/daemon/owner" || true
}

# users RUN COUNT: Nix's daemon builds as the members of nixbld. The official installer creates them; distributions'
# packages may not.
users() {
  one_at_a_time
  members=$(getent group nixbld | cut -d: -f4 | tr ',' '\n' | grep -c . || true)
  [ "${members:-0}" -lt "$1" ] || return 0
  getent group nixbld >/dev/null || groupadd --gid 30000 nixbld 2>/dev/null || groupadd --system nixbld
  i=1
  while [ "$i" -le "$1" ]; do
    getent passwd "nixbld$i" >/dev/null || build_user "$i" --uid "$((30000 + i))" 2>/dev/null || build_user "$i"
    i=$((i + 1))
  done
}

# Waits for other runs on this machine that have called this, and makes later ones wait until this call has ended. Only root
# can open the file, so no other user can hold the lock. `end` removes it while it holds the lock.
one_at_a_time() {
  while :; do
    umask 077
    exec 9>>"$lock"
    umask 022
    flock -w 300 9 || { echo "another run has not finished its set-up within 300 s" >&2 && exit 75; }
    locked=$(stat -Lc '%d:%i' /proc/self/fd/9)
    [ "$locked" != "$(stat -c '%d:%i' "$lock" 2>/dev/null)" ] || return 0
  done
}

build_user() {
  number=$1
  shift
  useradd --system --no-create-home --home-dir /var/empty --shell /usr/sbin/nologin --gid nixbld --groups nixbld \
    --comment "Nix build user $number" "$@" "nixbld$number"
}

# unpack RUN: unpacks a release tarball into the store. Its name is read from standard input, after it was checked. Prints
# the store path of Nix, then that of the CA bundle. Every path is renamed into the store, so that each one is complete.
unpack() {
  # zstd, if it was built with support for xz, takes a sixth less time, since it reads and writes in parallel.
  program=xz
  ! zstd -vV 2>/dev/null | grep -q 'supports:.* xz' || program=zstd
  tarball=$(cat)
  [ -n "$tarball" ] || exit 66
  mkdir -p /nix/store /nix/var/nix/gcroots
  fresh=/nix/.$name
  rm -rf "$fresh"
  mkdir "$fresh"
  trap 'rm -rf "$fresh"' EXIT
  (
    umask 0222
    tar --extract --file "$tarball" --use-compress-program "$program" --blocking-factor 256 --directory "$fresh" \
      --strip-components=1 --no-same-owner --no-same-permissions --wildcards '*/store' '*/.reginfo' '*/install'
  )
  nix=$(sed -n 's/^nix="\(.*\)"$/\1/p' "$fresh/install")
  cacert=$(sed -n 's/^cacert="\(.*\)"$/\1/p' "$fresh/install")
  [ -x "$fresh/store/${nix##*/}/bin/nix" ] || { echo "the tarball contains no Nix" >&2 && exit 65; }
  chmod u+w "$fresh/store"
  one_at_a_time
  set --
  for path in "$fresh"/store/*; do
    [ -e "/nix/store/${path##*/}" ] || set -- "$@" "$path"
  done
  # Only root can move read-only directories to another parent.
  [ $# -eq 0 ] || mv -t /nix/store "$@"
  "$nix/bin/nix-store" --load-db <"$fresh/.reginfo"
  ln -sfn "$cacert" /nix/var/nix/gcroots/nix-ferry-cacert
  ln -sfn "$nix" /nix/var/nix/gcroots/nix-ferry
  printf '%s\n%s\n' "$nix" "$cacert"
}

# package RUN NAME: installs a package of the distribution, without recommended ones (such as a daemon).
package() {
  export DEBIAN_FRONTEND=noninteractive
  install="apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 install -y --no-install-recommends"
  $install "$1" >&2 || { refresh && $install "$1" >&2; }
}

refresh() {
  apt-get -qq -o DPkg::Lock::Timeout=120 update >&2
}

# daemon RUN PROGRAM...: starts the daemon. Standard input is its environment (one NAME=value per line), an empty line, and
# its nix.conf. The files in client/keys become root's.
daemon() {
  [ ! -e "$RUN/socket" ] || { end_processes && rm -f "$RUN/socket"; }
  environment
  cat >"$RUN/daemon/nix.conf"
  if [ -d "$RUN/client/keys" ]; then
    for file in "$RUN/client/keys"/*; do install -m 0600 "$file" "$RUN/keys/"; done
    rm -rf "$RUN/client/keys"
  fi
  # In a new store, the first connections would create the database at the same time, and one of them would fail.
  [ -e /nix/var/nix/db/schema ] || "${1%/*}/nix-store" --init
  NIX_DAEMON_SOCKET_PATH=$RUN/socket setsid "$@" </dev/null >"$RUN/daemon/log" 2>&1 &
}

# direct RUN PROGRAM...: runs a program of Nix as root without the daemon, with the same settings. Standard input is its
# environment, as above.
direct() {
  environment
  exec "$@"
}

environment() {
  while IFS= read -r line && [ -n "$line" ]; do export "${line?}"; done
  # "auto" would use this same daemon if /nix/var/nix does not exist yet.
  export NIX_REMOTE=local HOME=/root NIX_CONF_DIR="$RUN/daemon" NIX_FERRY_RUN="$RUN"
}

# register RUN SYSTEM: registers an emulator. Standard input is the line for binfmt_misc.
register() {
  one_at_a_time
  if [ ! -e "$binfmt/register" ]; then
    : >"$RUN/daemon/mounted-binfmt"
    mount -t binfmt_misc binfmt_misc "$binfmt"
  fi
  [ ! -e "$binfmt/$name-$1" ] || echo -1 >"$binfmt/$name-$1"
  cat >"$binfmt/register"
}

# end RUN: removes everything that belongs to the run.
end() {
  # A terminal sends Ctrl-C to its whole foreground process group.
  trap '' HUP INT
  end_processes
  one_at_a_time
  for entry in "$binfmt/$name"-*; do
    [ ! -e "$entry" ] || echo -1 >"$entry"
  done
  [ ! -e "$RUN/daemon/mounted-binfmt" ] || unmount_binfmt
  hand_back
  rm -rf "/nix/.$name" "$RUN" "$lock"
}

# If another run still has an emulator registered, that run unmounts binfmt_misc when it ends.
unmount_binfmt() {
  for entry in "$binfmt"/nix-ferry-*; do
    entry=${entry##*/}
    heir=${RUN%/*}/${entry%-*-*}
    if made_by_root "$heir" && [ -d "$heir/daemon" ]; then
      : >"$heir/daemon/mounted-binfmt"
      return
    fi
  done
  umount "$binfmt" || true
}

# Gives a user's store back, with everything that root's Nix created in it.
hand_back() {
  [ -s "$RUN/daemon/owner" ] || return 0
  read -r owner mode <"$RUN/daemon/owner"
  find /nix/store -mindepth 1 -maxdepth 1 -user 0 -exec chown -Rh "$owner" {} +
  find /nix/var -user 0 -exec chown -h "$owner" {} +
  chown "$owner" /nix/store
  chmod "$mode" /nix/store
}

# Ends the processes of this run: the daemon with its children, and other calls of this script.
end_processes() {
  for signal in TERM TERM TERM TERM KILL; do
    found=$(processes)
    [ -n "$found" ] || return 0
    # shellcheck disable=SC2086 # One word per process.
    kill -s "$signal" $found 2>/dev/null || true
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      [ -n "$(processes)" ] || return 0
      sleep 0.02
    done
    sleep 0.5
  done
}

processes() {
  # First list all, then keep those that still exist: this script's own children are gone by then. Other calls with the
  # same verb are left alone.
  # shellcheck disable=SC2062 # A list of files, not a pattern.
  of_run=$(
    echo "NIX_FERRY_RUN=$RUN" | grep -lszxF --file=- /proc/[0-9]*/environ || true
    [ "$verb" != end ] || echo "$RUN" | grep -lszxF --file=- /proc/[0-9]*/cmdline || true
  )
  for file in $of_run; do
    process=${file%/*}
    [ ! -e "$process" ] || grep -qszxF -- "$verb" "$process/cmdline" || echo "${process#/proc/}"
  done
}

"$verb" "$@"
