#!/usr/bin/env bash
# PID 1 of the namespaces that scripts/test.sh makes: runs the unit tests, those on the testbed, those of speed, and counts.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

# The machines' way to the tests, and to each other (testbed/link.ts).
ip address add 10.255.255.1/32 dev lo
echo 1 >/proc/sys/net/ipv4/ip_forward

if [ -n "${SHELL_IN_TESTBED:-}" ]; then
  bash "$@"
  exit
fi

began=$SECONDS
code=0
results=$(mktemp -d)
jest() {
  local project=$1
  shift
  node --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js --selectProjects "$project" \
    --cacheDirectory=/var/cache/jest --passWithNoTests --json --outputFile="$results/$project.json" "$@" >/dev/null || code=1
}
jest unit "$@"
# Two at a time at most: a target with systemd and a build under qemu leave no room for more on a small machine.
workers=$(($(nproc) / 2))
jest e2e --maxWorkers="$((workers > 2 ? 2 : workers < 1 ? 1 : workers))" --testTimeout=240000 "$@"
# What measures time is alone.
jest speed --runInBand --testTimeout=240000 "$@"

echo "testbed: tests took $((SECONDS - began)) s" >&2
# shellcheck disable=SC2016  # JavaScript
node -e '
  const fs = require("node:fs");
  let passed = 0, failed = 0, skipped = 0;
  for (const project of ["unit", "e2e", "speed"]) {
    try {
      const result = JSON.parse(fs.readFileSync(process.argv[1] + "/" + project + ".json", "utf8"));
      passed += result.numPassedTests;
      failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
      skipped += result.numPendingTests + result.numTodoTests;
    } catch (error) {
      console.log(`${project}: no result (${error.message})`);
      failed += 1;
    }
  }
  if (skipped > 0) console.log(`${skipped} skipped`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
' "$results" || code=1
exit "$code"
