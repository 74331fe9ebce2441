#!/usr/bin/env bash
# PID 1 of the namespaces that scripts/test.sh makes: runs the unit tests, then the end-to-end tests, and counts. Each
# end-to-end file and each benchmark has its own namespaces (testbed-file.sh). Arguments: those of test.sh.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

mkdir -p /nix
TESTBED_RESULTS=$(mktemp -d)
export TESTBED_RESULTS
if [ -n "${SHELL_IN_TESTBED:-}" ]; then
  scripts/testbed-file.sh --shell "$@"
  exit
fi

suffix=.test.ts
if [ "${1:-}" = --bench ]; then
  suffix=.bench.ts
  shift
fi
# Words before the first option are patterns of paths, as in jest: regular expressions that ignore case.
patterns=()
while [ $# -gt 0 ] && [[ $1 != -* ]]; do
  patterns+=("$1")
  shift
done

all=$(find __tests__ -name "*$suffix" | sort)
files=$all
if [ ${#patterns[@]} -gt 0 ]; then
  files=
  for pattern in "${patterns[@]}"; do
    if ! matches=$(grep -iE -- "$pattern" <<<"$all"); then
      echo "testbed: no file __tests__/**/*$suffix matches '$pattern'" >&2
      exit 1
    fi
    files+=$matches$'\n'
  done
fi

if [ "$suffix" = .bench.ts ]; then
  # One after the other: they measure time.
  sort -u <<<"$files" | xargs -r -d '\n' -n 1 scripts/testbed-file.sh --bench || exit
  exec node scripts/testbed-ratios.mjs "$TESTBED_RESULTS"
fi

began=$SECONDS
code=0
mapfile -t unit < <(sort -u <<<"$files" | sed '/^$/d; \,/e2e/,d')
if [ ${#unit[@]} -gt 0 ]; then
  node --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js --cacheDirectory=/var/cache/jest \
    --selectProjects unit --json --outputFile="$TESTBED_RESULTS/unit.json" "$@" --runTestsByPath "${unit[@]}" \
    2>&1 >/dev/null | grep -vE '^(Ran all test suites|Test results written to|Snapshots: )' >&2 || code=1
fi

# New files come first, then those that took longest in an earlier run, so that no long one runs alone at the end. One more
# runs at once than there are processors, up to three, because the tests often wait.
seconds=/var/cache/jest/seconds
touch "$seconds"
cores=$(nproc)
sort -u <<<"$files" | sed -n '\,/e2e/,p' |
  awk 'FILENAME != "-" { known[$2] = $1; next } { print ($0 in known ? known[$0] : 1000), $0 }' "$seconds" - |
  sort -rn | cut -d' ' -f2- |
  xargs -r -d '\n' -P "$((cores < 2 ? 2 : 3))" -I {} scripts/testbed-file.sh {} "$@" || code=1

echo "testbed: tests took $((SECONDS - began)) s" >&2
node scripts/testbed-count.mjs "$TESTBED_RESULTS" "$seconds" "$@" || code=1
exit "$code"
