#! @shell@
# shellcheck shell=sh disable=SC1008,SC2239,SC2123
# The verbs, the order, the messages and the exit codes are those of NixOS' own switch-to-configuration, so that what
# deploys machines meets here what it will meet there. The units it starts and stops are those of the machine's systemd;
# where systemd does not run it says so and does the rest.
set -u
PATH=@tools@:/run/current-system/sw/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
toplevel=@out@
action=${1-}

say() { echo "$*" >&2; }

case $action in
switch | boot | test | dry-activate | check) ;;
*)
  say "Usage: $0 [check|switch|boot|test|dry-activate]

check:        run pre-switch checks and exit
switch:       make the configuration the boot default and activate now
boot:         make the configuration the boot default
test:         activate the configuration, but don't make it the boot default
dry-activate: show what would be done if this configuration were activated"
  exit 1
  ;;
esac

mkdir -p /run/nixos
exec 9> /run/nixos/switch-to-configuration.lock
# util-linux' flock: this busybox has none. 11 is EAGAIN, what the real one exits with.
if command -v flock > /dev/null && ! flock -n 9; then
  say "Could not acquire lock"
  exit 11
fi

if [ "$action" != dry-activate ] && [ "${NIXOS_NO_CHECK-}" != 1 ]; then
  if ! @preSwitchCheck@ "$toplevel" "$action" >&2 9>&-; then
    say "Pre-switch checks failed"
    exit 1
  fi
fi
[ "$action" = check ] && exit 0

if [ "$action" = switch ] || [ "$action" = boot ]; then
  if ! @installBootLoader@ "$toplevel" 9>&-; then
    say "Failed to install bootloader"
    exit 1
  fi
  [ "${NIXOS_NO_SYNC-}" = 1 ] || sync -f /nix/store 2> /dev/null || sync
fi
[ "$action" = boot ] && exit 0

running=/run/current-system/init-interface-version
if [ "$action" != dry-activate ] && [ -e $running ] && ! cmp -s $running $toplevel/init-interface-version; then
  say "Warning: the new NixOS configuration has an ‘init’ that is
incompatible with the current configuration.  The new configuration
won't take effect until you reboot the system."
  exit 100
fi

old=/etc/static/systemd/system
new=$toplevel/etc/systemd/system
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap '' HUP
cd "$scratch" || exit 1
: > stop
: > start
: > restart
: > reload
: > skip
: > before

if [ -d /run/systemd/system ]; then
  systemd=yes
else
  systemd=
  say "systemd does not run here: units are put in place, none is started or stopped"
fi

# Units that are not inactive: their name and state.
active() { systemctl list-units --all --full --plain --no-legend | awk '$3 != "inactive" { print $1, $3 }' | sort; }
listed() { tr '\n' ' ' < "$1" | sed -e 's/ $//' -e 's/ /, /g'; }
# say_units WORDS FILE: one line, or none where the file is empty.
say_units() { [ ! -s "$2" ] || say "$1: $(listed "$2")"; }
systemctl_each() { [ ! -s "$2" ] || xargs systemctl "$1" -- < "$2"; }

# decide UNIT: what a changed unit's new file asks for.
decide() {
  if grep -qE '^X-ReloadIfChanged=(true|yes|1)$' "$new/$1"; then
    echo "$1" >> reload
  elif grep -qE '^(X-RestartIfChanged=(false|no|0)|RefuseManualStop=(true|yes|1)|X-OnlyManualStart=(true|yes|1))$' "$new/$1"; then
    echo "$1" >> skip
  elif grep -qE '^X-StopIfChanged=(false|no|0)$' "$new/$1"; then
    echo "$1" >> restart
  else
    echo "$1" >> stop
    echo "$1" >> start
  fi
}

if [ -n "$systemd" ]; then
  active > before
  while read -r unit state; do
    [ -e "$old/$unit" ] || continue
    if [ ! -e "$new/$unit" ]; then
      echo "$unit" >> stop
      continue
    fi
    case $unit in
    *.target) continue ;;
    esac
    case $(awk -f @units@ "$old/$unit" "$new/$unit") in
    restart) if [ "$state" = failed ]; then echo "$unit" >> start; else decide "$unit"; fi ;;
    reload) echo "$unit" >> reload ;;
    esac
  done < before
fi

if [ "$action" = dry-activate ]; then
  say_units "would stop the following units" stop
  say_units "would NOT stop the following changed units" skip
  say "would activate the configuration..."
  $toplevel/dry-activate "$toplevel" >&2 9>&-
  say_units "would reload the following units" reload
  say_units "would restart the following units" restart
  say_units "would start the following units" start
  exit 0
fi

status=0
say_units "stopping the following units" stop
systemctl_each stop stop 9>&-
say_units "NOT restarting the following changed units" skip

say "activating the configuration..."
$toplevel/activate "$toplevel" >&2 9>&- || status=2

[ -n "$systemd" ] || exit $status

systemctl reset-failed 9>&-
systemctl daemon-reload 9>&- || status=3
say_units "reloading the following units" reload
systemctl_each reload reload 9>&- || status=4
say_units "restarting the following units" restart
systemctl_each restart restart 9>&- || status=4
say_units "starting the following units" start
# With them what is new: the targets that want units of this generation, and those units by name, since a target that
# is active already does not wait for them.
for wants in "$new"/*.wants; do
  [ -d "$wants" ] || continue
  target=${wants##*/}
  echo "${target%.wants}" >> start
  for unit in "$wants"/*; do
    systemctl --quiet is-active "${unit##*/}" || echo "${unit##*/}" >> start
  done
done
systemctl_each start start 9>&- || status=4

active > after
awk 'NR == FNR { was[$1]; next } $2 != "failed" && !($1 in was) && $1 !~ /\.scope$/ { print $1 }' before after > fresh
# awk sees no first file in an empty one.
[ -s before ] || awk '$2 != "failed" && $1 !~ /\.scope$/ { print $1 }' after > fresh
say_units "the following new units were started" fresh
awk '$2 == "failed" { print $1 }' after > failed
if [ -s failed ]; then
  say_units "warning: the following units failed" failed
  xargs systemctl status --no-pager --full -- < failed >&2 9>&-
  status=4
fi
exit $status
