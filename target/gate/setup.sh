# shellcheck shell=sh
# Makes the gate on a NixOS machine whose configuration does not have it (`ferry target-setup`), and takes it away again.
#
# It is sent over standard input, with what it reads after it: the size of this script is the first argument.
#
#   ssh … "sh -c 'self=\$(dd bs=1 count=\"\$1\" 2>/dev/null) && shift && eval \"\$self\"' nix-ferry SIZE VERB" < script and values
#
# VERBS, all as root:
#
#   look             what this machine is, and whether it can have a gate (setup-look.sh); changes nothing
#   install VERSION  installs the files that follow: `@ NAME` begins a file, its content follows in base64; `.` is the last line
#   remove           takes everything away
#   keep             repairs what an activation has taken away; removes what the machine's own configuration has replaced
#
# ANSWERS: `key=value` lines; the last one is `end=…`.
#
#   look     hostname, nix (version), owner (none | setup: this script | module), version (what is installed), obstacle (why the
#            machine cannot have a gate, in words; empty: it can), end=look
#   install, remove
#            changed (yes | no), end=done; or why, and end=failed: the machine is as it was
#
# WHERE THINGS ARE. NixOS makes the files of /etc anew for each system, but only those that it knows. So nothing here is a file
# of NixOS: sudo's rules would not outlive the next activation, which is why root is asked over a socket of systemd's.
#
#   /var/lib/nix-ferry-gate/VERSION  the files. Not in the store, so that the garbage collector does not take them
#   /var/lib/nix-ferry-gate/current  a link to the version in use. Changing it changes keys, settings and scripts at once
#   /var/lib/nix-ferry-gate/nix.conf the settings that nix-daemon has read
#   /var/lib/nix-ferry-gate/nc       a link to the netcat with which the gate asks root: that of a later system may be another one
#   /nix/var/nix/gcroots/nix-ferry-gate
#                                    keeps it from the garbage collector
#   /etc/ssh/authorized_keys.d/nix-ferry
#                                    a link to the keys, which the module replaces with its own file
#   /etc/systemd/system.control      the units: systemd reads them there, and no NixOS system writes there
#   the user nix-ferry               stays if users.mutableUsers is true
#
# The link to the keys is made last and removed first: without it nobody can use the rest.
set -u
umask 022
PATH=/run/wrappers/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

user=nix-ferry
place=/var/lib/nix-ferry-gate
current=$place/current
keys=/etc/ssh/authorized_keys.d/$user
control=/etc/systemd/system.control
socket=ferry-gate.socket
daemon=nix-daemon.service.d/ferry-gate.conf
gcroot=/nix/var/nix/gcroots/nix-ferry-gate

answer() { printf '%s=%s\n' "$1" "$2"; }

# Whether the keys of the user are those of this script.
own_keys() { [ "$(readlink "$keys" 2>/dev/null)" = "$current/keys" ]; }

owner() {
  if [ -e "$keys" ] && ! own_keys; then
    echo module
  elif [ -e $place ]; then
    echo setup
  else
    echo none
  fi
}

version() {
  version=$(readlink $current 2>/dev/null) || version=''
  printf '%s\n' "$version"
}

# One at a time. Not inherited by what this script starts.
lock() {
  exec 9>/run/ferry-gate.lock
  why='another set-up of this machine is in progress'
  tries=0
  # Not every flock can wait for a limited time.
  until flock -n 9; do
    tries=$((tries + 1))
    [ $tries -lt 30 ] || return
    sleep 1 9>&-
  done
}

read_files() {
  awk '
    function finish() { if (command != "" && close(command) != 0) failed = 1; command = "" }
    failed { next }
    $1 == "@" {
      finish()
      if (NF != 2 || $2 !~ /^[a-z][a-z@.-]*$/) { failed = 1; next }
      command = "base64 -d >" $2
      printf "" | command
      next
    }
    $0 == "." { finish(); whole = 1; next }
    { print | command }
    END { finish(); exit failed || !whole }' 9>&-
}

# replace SOURCE FILE: makes the file a copy, at once; sets `changed` if it was not one.
replace() {
  ! cmp -s "$1" "$2" || return 0
  mkdir -p "${2%/*}" && cp "$1" "$2.new" && mv -f "$2.new" "$2" && changed=yes
}

# link TARGET FILE
link() {
  [ "$(readlink "$2")" != "$1" ] || return 0
  mkdir -p "${2%/*}" && ln -sfn "$1" "$2.new" && mv -fT "$2.new" "$2" && changed=yes
}

ensure_user() {
  ! id $user >/dev/null 2>&1 || return 0
  why="the user $user could not be made"
  set -- --system --no-create-home --home-dir /var/empty --shell /bin/sh --comment 'Restricted keys of Nix Ferry' --password '*'
  if grep -q "^$user:" /etc/group; then set -- "$@" --gid $user; else set -- "$@" --user-group; fi
  useradd "$@" $user >/dev/null 2>&1 9>&- && changed=yes
}

# The units, and the user for whom the socket is.
ensure_units() {
  before=$changed
  changed=no
  why="the units could not be written to $control"
  replace $current/$socket $control/$socket && replace $current/ferry-gate@.service $control/ferry-gate@.service &&
    replace $current/ferry-gate-keep.service $control/ferry-gate-keep.service && link ../$socket $control/sockets.target.wants/$socket &&
    link ../ferry-gate-keep.service $control/multi-user.target.wants/ferry-gate-keep.service || return
  why="$socket could not be started"
  if [ $changed = yes ]; then systemctl daemon-reload 9>&- || return; fi
  if ! systemctl is-active --quiet $socket 9>&- || [ "$(stat -c %u /run/ferry-gate.socket 2>/dev/null)" != "$(id -u $user)" ]; then
    changed=yes
    systemctl restart $socket >/dev/null 2>&1 9>&- || return
  fi
  [ "$before" = no ] || changed=yes
}

# The daemon accepts paths that the keys of the gate have signed. It reads its settings when it starts; connections go on.
ensure_daemon() {
  before=$changed
  changed=no
  why='the settings of nix-daemon could not be changed'
  replace $current/nix-daemon.conf $control/$daemon && replace $current/nix.conf $place/nix.conf || return
  if [ $changed = yes ]; then
    systemctl daemon-reload 9>&- && systemctl try-restart nix-daemon.service >/dev/null 2>&1 9>&- || return
  fi
  [ "$before" = no ] || changed=yes
}

ensure_netcat() {
  why='there is no netcat'
  [ -x $place/nc ] || link "$(netcat)" $place/nc || return
  why="$gcroot could not be made"
  link $place/nc $gcroot
}

ensure_keys() {
  why="$keys could not be made"
  link $current/keys $keys
}

# Asks the gate, as its user: whether the way to root and that to Nix are open.
try_gate() {
  why='the gate did not answer when it was tried'
  key=$(sed -n 's/^restrict,command="[^"]* [a-z]* \([^ "]* [^ "]*\)" .*/\1/p' $current/keys | head -n 1)
  as_user="$(setpriv) --reuid=$user --regid=$user --init-groups env -i PATH=$PATH"
  # shellcheck disable=SC2086 # Words.
  printf '.\n' | $as_user 'SSH_ORIGINAL_COMMAND=nix-ferry-gate 1 probe' /bin/sh $current/gate deploy $key 2>/dev/null 9>&- |
    grep -qx 'end=probe' || return
  why="nix-daemon does not let the user $user in (nix.settings.allowed-users)"
  # The answer of a daemon that has let the user in.
  no_path=/nix/store/00000000000000000000000000000000-none
  # shellcheck disable=SC2086
  $as_user NIX_REMOTE=daemon nix-store --check-validity $no_path 2>&1 9>&- </dev/null | grep -q 'is not valid'
}

install() {
  wanted=$1 changed=no why=''
  case $wanted in
    '' | *[!0-9a-f]*)
      why='the version is damaged'
      return 1
      ;;
  esac
  # The connection may end: what was begun is finished.
  trap '' HUP PIPE
  lock || return
  old=$(version)
  if [ "$(owner)" = module ]; then
    why="$keys was made meanwhile"
    return 1
  fi
  trap 'undo; exit 1' INT TERM
  if install_files && ensure_user && ensure_netcat && ensure_units && ensure_daemon && try_gate && ensure_keys; then
    trap '' INT TERM
    forget_versions
    return
  fi
  failed=$why
  undo
  why=$failed
  return 1
}

install_files() {
  why="the files could not be written to $place"
  mkdir -p $place && chmod 755 $place || return
  half=$place/.$wanted
  rm -rf "$half" && mkdir "$half" || return
  (cd "$half" && read_files) && sync "$half"/* && {
    if [ -d "$place/$wanted" ]; then rm -rf "$half"; else mv "$half" "$place/$wanted"; fi
  } && link "$wanted" $current
}

# The machine as it was: the version that it had, or nothing.
undo() {
  if [ -n "$old" ]; then
    ln -sfn "$old" $current.new && mv -fT $current.new $current
    if own_keys; then ensure_user && ensure_units && ensure_daemon; fi
  else
    take_away
  fi
} >/dev/null 2>&1

forget_versions() {
  for directory in "$place"/* "$place"/.[!.]*; do
    case ${directory##*/} in current | nc | nix.conf | "$wanted" | "${old:-$wanted}") continue ;; esac
    rm -rf "$directory"
  done
}

remove() {
  changed=no why=''
  trap '' HUP PIPE INT TERM
  lock || return
  [ -e $place ] || return 0
  take_away
  changed=yes
}

# Keys, units, user and files. The user is the module's if the keys are.
take_away() {
  whose=$(owner)
  if own_keys || [ ! -e "$keys" ]; then rm -f "$keys"; fi
  rmdir "${keys%/*}" 2>/dev/null
  systemctl stop $socket >/dev/null 2>&1 9>&-
  rm -f $control/$socket $control/ferry-gate@.service $control/ferry-gate-keep.service $control/$daemon \
    $control/sockets.target.wants/$socket $control/multi-user.target.wants/ferry-gate-keep.service
  rmdir $control/sockets.target.wants $control/multi-user.target.wants "$control/${daemon%/*}" $control 2>/dev/null
  systemctl daemon-reload 9>&-
  systemctl try-restart nix-daemon.service >/dev/null 2>&1 9>&-
  if [ "$whose" = setup ]; then
    userdel --force $user >/dev/null 2>&1 9>&-
    groupdel $user >/dev/null 2>&1 9>&-
  fi
  rm -f $gcroot
  rm -rf $place
}

# Called when an activation has ended, and when the machine has started.
keep() {
  changed=no why=''
  lock || return
  [ -L $current ] || return 0
  if [ "$(owner)" = module ]; then
    # Unless the machine may still go back, or starts another system next.
    if [ ! -e /var/lib/nix-ferry/activating.json ] &&
      [ "$(readlink -f /run/current-system)" = "$(readlink -f /nix/var/nix/profiles/system)" ]; then
      take_away
    fi
    return
  fi
  ensure_user && ensure_netcat && ensure_units && ensure_daemon && ensure_keys
}

conclude() {
  if [ "$1" = 0 ]; then
    answer changed "$changed"
    answer end 'done'
  else
    answer why "$why"
    answer end failed
  fi
}

main() {
  cd / || exit
  case $1 in
    look) look ;;
    install | remove)
      "$@"
      conclude $?
      ;;
    keep) keep || echo "the gate of ferry target-setup could not be kept: $why" ;;
  esac
}
main "$@"
