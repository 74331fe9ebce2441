# shellcheck shell=sh disable=SC1091,SC2034,SC2154,SC2317
# user-units.sh DIRECTORY OLD NEW: switches the units of the user who runs it. /etc is already that of the new system.
set -u
PATH=$PATH:/usr/bin:/bin
here=$1 old=$2/etc/systemd/user new=$3/etc/systemd/user
. "$here/units.sh"
systemctl='systemctl --user' one='user unit ' lists=$XDG_RUNTIME_DIR/nixos plan_units=$here/plan-units.awk status=0

bus_lives() { [ -S "$XDG_RUNTIME_DIR/bus" ]; }
lost_bus() { fail "Failed to process dbus messages" "Failed to read/write data, disconnected from D-Bus?"; }

bus_lives || fail "Failed to open dbus connection" "Failed to connect to socket $XDG_RUNTIME_DIR/bus: No such file or directory"
mkdir -p "$lists"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
: > failures

running > active
make_plan "$old" "$new"
record_lists
planned stop | say_units "stopping the following user units"
jobs stop
# It always runs again.
planned skip | grep -vx nixos-activation.service | say_units "NOT restarting the following user units"
$systemctl daemon-reexec
$systemctl reset-failed
$systemctl daemon-reload
for action in reload restart start; do
  case $action in
  reload) words=reloading ;;
  restart) words=restarting ;;
  start) words=starting ;;
  esac
  shown $action | say_units "$words the following user units"
  jobs $action
  rm -f "$lists/$action-list"
done
if [ -e "$new/nixos-activation.service" ]; then
  say "restarting the following user units: nixos-activation.service"
  $systemctl restart nixos-activation.service > /dev/null 2>&1
fi
if [ -s failures ]; then
  cat failures >&2
  sed "s/^Failed to [a-z]* $one//" failures | sort -fu > failed
  say_units "warning: the following user units failed" < failed
  say "See \`systemctl --user status $(tr '\n' ' ' < failed | sed 's/ $//')\` for details."
  status=4
fi
exit $status
