# shellcheck shell=sh
# check-inhibitors.sh TOPLEVEL ACTION: whether a component that must not change while the system runs would change.
case $2 in
boot | dry-activate)
  echo "Not checking switch inhibitors (action = $2)"
  exit
  ;;
esac
printf 'Checking switch inhibitors...'
changed=
if [ -e /run/current-system/switch-inhibitors ]; then
  changed=$(awk -F '"' 'NR == FNR { was[$2] = $4; next } $2 in was && was[$2] != $4 { print $2, ":", was[$2], "->", $4 }' \
    /run/current-system/switch-inhibitors "$1/switch-inhibitors")
fi
if [ -z "$changed" ]; then
  echo " done"
  exit
fi
cat << END

There are changes to critical components of the system:

$changed

Switching into this system is not recommended.
You probably want to run 'nixos-rebuild boot' and reboot your system instead.

If you really want to switch into this configuration directly, then
you can set NIXOS_NO_CHECK=1 to ignore pre-switch checks.

WARNING: doing so might cause the switch to fail or your system to become unstable.

END
exit 1
