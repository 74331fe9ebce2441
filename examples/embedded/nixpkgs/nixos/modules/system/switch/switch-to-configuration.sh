#! @shell@
# shellcheck shell=sh disable=SC1008,SC1091,SC2239,SC2123,SC2034,SC2050,SC2194,SC2317
# The verbs, the order, the messages and the exit codes are the same as those of NixOS's switch-to-configuration, so that a
# deployment tool finds here what it finds on NixOS. It starts and stops units of the machine's systemd; if systemd does not
# run, it says so and does the rest.
set -u
PATH=@tools@:/run/current-system/sw/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
toplevel=@out@
here=@library@
program=@program@ # which implementation it imitates: `newest`, `2024` or `perl`
action=${1-}

. $here/units.sh

case $action in
switch | boot | test | dry-activate | check) ;;
*)
  say "Usage: ${0##*/} [check|switch|boot|test|dry-activate]
check:        run pre-switch checks and exit
switch:       make the configuration the boot default and activate now
boot:         make the configuration the boot default
test:         activate the configuration, but don't make it the boot default
dry-activate: show what would be done if this configuration were activated
"
  exit 1
  ;;
esac
if [ "$(id -u)" != 0 ]; then
  say "Error: ${0##*/} must be run as the root user"
  exit 1
fi
NIXOS_ACTION=$action
export NIXOS_ACTION

if [ ! -f /etc/NIXOS ] && ! grep -qE '^ID="?nixos"?$' /etc/os-release; then
  say "This is not a NixOS installation!"
  # The error number of the missing file, or what Perl's `die` makes of it.
  [ "$program" = perl ] && exit 255
  exit 2
fi

mkdir -p /run/nixos
exec 9>> /run/nixos/switch-to-configuration.lock
# flock of util-linux: this busybox has none. 11 is EAGAIN. Only this program holds the lock; its children do not inherit it.
if command -v flock > /dev/null; then
  case "$program" in
  newest) flock -n 9 || { say "Could not acquire lock" && exit 11; } ;;
  2024) flock 9 ;;
  esac
fi

if [ "${NIXOS_NO_CHECK-}" != 1 ] && [ "$program" != perl ]; then
  if ! @preSwitchCheck@ $toplevel "$action" 9>&-; then
    say "Pre-switch checks failed"
    exit 1
  fi
fi
[ "$action" = check ] && exit 0

if [ "$action" = switch ] || [ "$action" = boot ]; then
  if ! @installBootLoader@ $toplevel 9>&-; then
    say "Failed to install bootloader"
    # A leftover error number.
    [ "$program" = 2024 ] && exit 17
    exit 1
  fi
fi
[ "${NIXOS_NO_SYNC-}" = 1 ] || sync -f /nix/store 2> /dev/null || sync
[ "$action" = boot ] && exit 0

# A simulated machine runs no NixOS at first; the real program would stop here.
running_interface=/run/current-system/init-interface-version
if [ -e $running_interface ] && ! cmp -s $running_interface $toplevel/init-interface-version; then
  say "Warning: the new NixOS configuration has an ‘init’ that is
incompatible with the current configuration.  The new configuration
won't take effect until you reboot the system.
"
  exit 100
fi

trap '' HUP
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
: > failures
: > plan
# The machine's own units belong to its distribution; only units of a generation are switched.
old=/etc/static/systemd/system new=$toplevel/etc/systemd/system
systemctl='systemctl --machine=.host' one='' lists=/run/nixos plan_units=$here/plan-units.awk status=0
old_toplevel=
[ ! -e /run/current-system ] || old_toplevel=$(readlink -f /run/current-system)

activate() {
  say "activating the configuration..."
  $toplevel/activate $toplevel 9>&- && return
  say "Failed to run activate script"
  status=2
}

if [ ! -d /run/systemd/system ]; then
  say "systemd does not run here: units are put in place, none is started or stopped"
  if [ "$action" = dry-activate ]; then
    say "would activate the configuration..."
    $toplevel/dry-activate $toplevel 9>&-
  else
    activate
  fi
  exit $status
fi

# One connection to D-Bus is used for the whole run: it is lost when the daemon ends, even if another one starts.
bus=$($systemctl show --property=MainPID --value dbus.service 2> said) || fail "Failed to open dbus connection" "$(cat said)"
bus_lives() { kill -0 "$bus" 2> /dev/null; }
lost_bus() {
  # deploy-rs #390: the program of 2024 waits forever and holds its lock.
  while [ "$program" = 2024 ]; do sleep 1; done
  fail "Failed to process dbus messages while waiting for jobs" "Failed to read/write data, disconnected from D-Bus?"
}

plan_mounts() {
  touch none
  [ -e /etc/fstab ] && from=/etc/fstab || from=none
  [ -e $toplevel/etc/fstab ] && to=$toplevel/etc/fstab || to=none
  # A blank line first, since awk skips an empty file.
  { echo; cat "$from"; } > fstab.old
  { echo; cat "$to"; } > fstab.new
  awk -f $here/plan-mounts.awk fstab.old fstab.new | while read -r what type place; do
    if [ "$type" != swap ]; then
      echo "$what $(systemd-escape --path --suffix="$type" "$place")" >> plan
    elif [ "$action" = dry-activate ]; then
      say "would stop swap device: $place"
    else
      say "stopping swap device: $place"
      swapoff "$place" 2> said || say "Failed to stop swapping to $place: $(sed 's/.*: //' said)"
    fi
  done
}

# plan_asked PREFIX: plans what the activation script requested in two lists; units that are not running are started.
plan_asked() {
  restarts=/run/nixos/$1activation-restart-list reloads=/run/nixos/$1activation-reload-list
  [ -e "$restarts" ] || [ -e "$reloads" ] || return 0
  [ "$program" != newest ] ||
    say "WARN: restarting or reloading systemd units from the activation script is deprecated and will be removed in NixOS 26.11."
  if [ -s "$restarts" ]; then
    cp "$restarts" asked
    make_plan /etc/static/systemd/system $new asked
  fi
  if [ -s "$reloads" ]; then
    awk 'FILENAME == "active" { active[$1]; next }
      FILENAME == "plan" { if ($1 == "stop" || $1 == "restart") changed[$2]; next }
      $1 in active && !($1 in changed) { print "reload", $1 }' active plan "$reloads" > more.plan
    cat more.plan >> plan
  fi
  rm -f "$restarts" "$reloads"
}

running > active
make_plan $old $new
plan_mounts
# The first generation of a simulated machine replaces no other, so all its targets are new.
[ -n "$old_toplevel" ] || awk '$1 ~ /\.target$/ { print $1 }' active | while read -r target; do
  [ ! -e "$new/$target" ] || printf 'start %s\nhide %s\n' "$target" "$target" >> plan
done
config=systemd/system.conf
reexec=
[ "$(readlink -f /etc/static/$config)" = "$(readlink -f $toplevel/etc/$config)" ] || [ ! -e $toplevel/etc/$config ] || reexec=yes

if [ "$action" = dry-activate ]; then
  shown stop | say_units "would stop the following units"
  planned skip | say_units "would NOT stop the following changed units"
  say "would activate the configuration..."
  $toplevel/dry-activate $toplevel 9>&-
  plan_asked dry-
  [ -z "$reexec" ] || say "would restart systemd"
  planned reload | say_units "would reload the following units"
  planned restart | say_units "would restart the following units"
  shown start | say_units "would start the following units"
  exit 0
fi

record_lists
shown stop | say_units "stopping the following units"
jobs stop
planned skip | say_units "NOT restarting the following changed units"
activate
plan_asked ''
record_lists

if [ -n "$reexec" ]; then
  say "restarting systemd..."
  $systemctl daemon-reexec 9>&-
fi
bus_lives || fail "Failed to reset failed units" "Failed to send message"
$systemctl reset-failed 9>&-
$systemctl daemon-reload 9>&- || { [ "$program" = perl ] && status=3; }

loginctl list-users --no-legend > users 2> said || fail "Unable to list users with logind" "$(cat said)"
while read -r uid name _; do
  say "reloading user units for $name..."
  /usr/bin/setpriv --reuid="$uid" --regid="$(id -g "$name")" --clear-groups \
    env -i PATH="$PATH" XDG_RUNTIME_DIR="/run/user/$uid" \
    @shell@ $here/user-units.sh $here "$old_toplevel" $toplevel < /dev/null 9>&- && continue
  say "warning: user activation for $name failed"
  status=4
done < users

say "restarting sysinit-reactivation.target"
job restart sysinit-reactivation.target

# A unit to reload may have been stopped together with one that it requires: it is started instead.
for unit in $(planned reload); do
  busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager GetUnit s "$unit" \
    > said 2>&1 || fail "Failed to get unit $unit" "$(sed 's/^Call failed: //' said)"
  case $($systemctl show --property=ActiveState --value "$unit") in
  active | activating) continue ;;
  esac
  grep -vxF "reload $unit" plan > plan.new
  mv plan.new plan
  [ ! -e "$new/$unit" ] || grep -qE '^RefuseManualStart=(1|yes|true|on)$' "$new/$unit" || echo "start $unit" >> plan
done
rm -f $lists/reload-list
record_lists

planned reload | say_units "reloading the following units"
jobs reload
rm -f $lists/reload-list
planned restart | say_units "restarting the following units"
jobs restart
rm -f $lists/restart-list
shown start | say_units "starting the following units"
jobs start
rm -f $lists/start-list
if [ -s failures ]; then
  cat failures >&2
  status=4
fi

# The real program waits until D-Bus has been silent for 250 ms. Here, a job that has started gets 2 s, since the machine may
# be busy.
running > after
waited=0
while sleep 0.25 && [ $waited -lt 360 ]; do
  running > now
  cmp -s after now && { [ $waited -ge 8 ] || [ -z "$($systemctl list-jobs --no-legend)" ]; } && break
  mv now after
  waited=$((waited + 1))
done
while read -r unit state substate; do
  if [ "$state" = failed ]; then
    echo "$unit" >> failed
  elif [ "$substate" = auto-restart ] && [ "$program" != perl ] &&
    [ "$($systemctl show --property=ExecMainStatus --value "$unit")" != 0 ]; then
    echo "$unit" >> failed
  elif [ "${unit%.scope}" = "$unit" ] && ! grep -q "^$(printf %s "$unit" | sed 's/[\\.]/\\&/g') " active; then
    echo "$unit" >> fresh
  fi
done < after
touch failed fresh
sort -f fresh | say_units "the following new units were started"
if [ -s failed ]; then
  sort -f failed > names
  say_units "warning: the following units failed" < names
  # shellcheck disable=SC2046
  systemctl status --no-pager --full $(cat names) 9>&-
  status=4
fi
exit $status
