// Sums up the JSON files of jest in a directory and prints `N passed, N failed` as its last line. A test file without a
// result, or one that could not be run, counts as one failure; so does a filter that matches no test. After a run without
// options it records how long each end-to-end file took, for the order of the next run.
//
// usage: testbed-count.mjs DIRECTORY SECONDS-FILE [JEST OPTION…]
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const [directory, secondsFile, ...options] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;
const seconds = new Map(
  readFileSync(secondsFile, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => [line.slice(line.indexOf(' ') + 1), Number(line.slice(0, line.indexOf(' ')))]),
);
for (const name of readdirSync(directory)) {
  const result = JSON.parse(readFileSync(join(directory, name), 'utf8'));
  passed += result.numPassedTests;
  failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  skipped += result.numPendingTests + result.numTodoTests;
  for (const { name: path, startTime, endTime, status } of result.testResults) {
    const file = relative(process.cwd(), path);
    if (status === 'failed') console.log(`failed: ${file}`);
    if (endTime > startTime && name !== 'unit.json') seconds.set(file, Math.round((endTime - startTime) / 1000));
  }
}
if (options.length === 0) {
  // Another run may read or write it at the same time.
  writeFileSync(`${secondsFile}.${process.pid}`, [...seconds].map(([file, taken]) => `${taken} ${file}\n`).join(''));
  renameSync(`${secondsFile}.${process.pid}`, secondsFile);
}
if (passed + failed === 0) {
  console.log(`testbed: no test matches ${options.join(' ')}`);
  failed = 1;
}
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
