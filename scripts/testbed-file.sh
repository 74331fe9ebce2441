#!/usr/bin/env bash
# Runs one file of tests of a project in namespaces of its own, and prints what jest says when it has ended. Its results
# lie in TESTBED_RESULTS then.
#
# usage: testbed-file.sh PROJECT FILE [JEST OPTION…]
#        testbed-file.sh --shell [ARGUMENT…]
set -euo pipefail
cd "$(dirname "$0")/.."

# A file that has not ended after this long never will.
limit=900
file=${2:-}
results=$TESTBED_RESULTS/$1-${file//\//-}.json

if [ "${TESTBED_INSIDE:-}" != yes ]; then
  said=$(mktemp)
  # Its name is part of paths of sockets, which are short.
  TMPDIR=$(mktemp -d /tmp/tXXXX)
  export TMPDIR TESTBED_INSIDE=yes
  if [ "$1" = --shell ]; then exec scripts/testbed-namespaces.sh -m -p -n -i -u "$PWD/scripts/testbed-file.sh" "$@"; fi
  code=0
  timeout --kill-after=5 "$limit" setpriv --pdeathsig KILL \
    scripts/testbed-namespaces.sh -m -p -n -i -u "$PWD/scripts/testbed-file.sh" "$@" >"$said" 2>&1 </dev/null || code=$?
  grep -vE '^(Running one project|Test results written to|Ran all test suites|Snapshots: )' "$said" >&2 || true
  if [ ! -s "$results" ]; then
    echo "testbed: $2 left no result (exit $code; $limit s is the limit)" >&2
    printf '{"numPassedTests":0,"numFailedTests":0,"numRuntimeErrorTestSuites":1,"numPendingTests":0,"numTodoTests":0,"testResults":[]}' \
      >"$results"
  fi
  exit "$((code > 0))"
fi

mount --make-rprivate /
mount -t proc proc /proc
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
mount -t tmpfs -o mode=0755 nix /nix
ip link set lo up
# The machines' way to the tests, and to each other (support/link.ts).
ip address add 10.255.255.1/32 dev lo
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
unset TESTBED_INSIDE

if [ "$1" = --shell ]; then
  shift
  bash "$@"
  exit
fi
project=$1
shift 2
node --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js --cacheDirectory=/var/cache/jest \
  --selectProjects "$project" --runInBand --testTimeout=240000 --passWithNoTests --forceExit \
  --json --outputFile="$results" "$@" --runTestsByPath "$file" >/dev/null
