#!/usr/bin/env bash
# Runs a command as root of a new user namespace with all ids of this one, and of further new namespaces according to the
# options, which are those of unshare. In a user namespace binfmt_misc is private and empty at first (Linux 6.7 and newer), and
# the machine's clock, modules, sysctls and mounts cannot be changed. The command ends with this process.
#
# usage: testbed-namespaces.sh [-m] [-p] [-n] [-i] [-u] [-C] COMMAND [ARGUMENT…]
set -euo pipefail

options=()
while [[ ${1:-} == -* ]]; do
  options+=("$1")
  shift
done

# The child waits for its id maps, because only its parent may map all ids. It inherits standard input, output and error.
exec 8<&0 9>&1
coproc CHILD {
  # shellcheck disable=SC2016
  exec unshare -U sh -c '
    echo ready >&7
    read -r _ <&6
    exec 6<&- 7>&-
    options=$1
    shift
    # Not earlier: the kernel clears this setting when a process gains capabilities, as it does with the id maps.
    # shellcheck disable=SC2086
    exec setpriv --pdeathsig KILL unshare $options --fork --kill-child "$@"' sh "${options[*]}" "$@" 7>&1 6<&0 0<&8 8<&- 1>&9 9>&-
}
exec 8<&- 9>&-
read -r _ <&"${CHILD[0]}"
# Each line of a map: first id inside, first id outside, count. Inside and outside are the same.
for map in uid_map gid_map; do
  awk '{ print $1, $1, $3 }' "/proc/self/$map" >"/proc/$CHILD_PID/$map"
done
pid=$CHILD_PID
echo go >&"${CHILD[1]}"
code=0
wait "$pid" || code=$?
exit "$code"
