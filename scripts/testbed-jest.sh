#!/usr/bin/env bash
# PID 1 of the namespaces that scripts/test.sh makes: runs the unit tests, those on the testbed, those of speed, and counts.
# Each file on the testbed has namespaces of its own (testbed-file.sh): what it starts, mounts or listens on is nobody else's.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

mkdir -p /nix
if [ -n "${SHELL_IN_TESTBED:-}" ]; then
  TESTBED_RESULTS=/tmp scripts/testbed-file.sh --shell "$@"
  exit
fi

# What stands before the first option are patterns of file names; the rest is for jest as it is.
patterns=()
while [ $# -gt 0 ] && [[ $1 != -* ]]; do
  patterns+=("$1")
  shift
done

began=$SECONDS
code=0
TESTBED_RESULTS=$(mktemp -d)
export TESTBED_RESULTS
jest() {
  node --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js --cacheDirectory=/var/cache/jest "$@"
}

jest --selectProjects unit --passWithNoTests --json --outputFile="$TESTBED_RESULTS/unit.json" "${patterns[@]}" "$@" \
  >/dev/null || code=1

# The slowest first, as far as an earlier run tells, so that none is left over at the end.
seconds=/var/cache/jest/seconds
touch "$seconds"
files() {
  jest --selectProjects "$1" --listTests "${patterns[@]}" | sed -n "s,^$PWD/,,p" |
    awk 'FILENAME != "-" { known[$2] = $1; next } { print ($0 in known ? known[$0] : 1000), $0 }' "$seconds" - |
    sort -rn | cut -d' ' -f2-
}
cores=$(nproc)
files e2e | xargs -r -d '\n' -P "$((cores < 3 ? 2 : 3))" -I {} scripts/testbed-file.sh e2e {} "$@" || code=1
# What measures time is alone.
files speed | xargs -r -d '\n' -P 1 -I {} scripts/testbed-file.sh speed {} "$@" || code=1

echo "testbed: tests took $((SECONDS - began)) s" >&2
node scripts/testbed-count.mjs "$TESTBED_RESULTS" "$seconds" || code=1
exit "$code"
