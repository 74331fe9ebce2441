#!/usr/bin/env bash
# Runs a command as root of a user namespace with all the ids of this one, and in whichever further namespaces the options
# (unshare's: -m -p -n …) ask for. In a user namespace binfmt_misc is private and starts empty (Linux 6.7 and newer), and
# nothing can change the machine's clock, modules, sysctls or mounts. Its processes end with this one.
#
# usage: testbed-namespaces.sh [-m] [-p] [-n] [-i] [-u] [-C] COMMAND [ARGUMENT…]
set -euo pipefail

options=()
while [[ ${1:-} == -* ]]; do
  options+=("$1")
  shift
done

# The child waits for its id maps: only its parent may write whole ones. Standard input, output and error pass through.
exec 8<&0 9>&1
coproc CHILD {
  # shellcheck disable=SC2016
  exec unshare -U sh -c '
    echo ready >&7
    read -r _ <&6
    exec 6<&- 7>&-
    options=$1
    shift
    # Only now: the kernel forgets this wish when a process gains capabilities, as the maps let it.
    # shellcheck disable=SC2086
    exec setpriv --pdeathsig KILL unshare $options --fork --kill-child "$@"' sh "${options[*]}" "$@" 7>&1 6<&0 0<&8 8<&- 1>&9 9>&-
}
exec 8<&- 9>&-
read -r _ <&"${CHILD[0]}"
# Each line of a map: first id inside, first id outside, how many. Inside and outside are to be the same.
for map in uid_map gid_map; do
  awk '{ print $1, $1, $3 }' "/proc/self/$map" >"/proc/$CHILD_PID/$map"
done
pid=$CHILD_PID
echo go >&"${CHILD[1]}"
code=0
wait "$pid" || code=$?
exit "$code"
