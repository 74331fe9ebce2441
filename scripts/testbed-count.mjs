// Counts what jest's JSON files in a directory say, prints `N passed, N failed` as its last line, and notes how long each
// file took for the next run's order. A file of tests that left no result, or could not be run, is one that failed.
//
// usage: testbed-count.mjs DIRECTORY SECONDS-FILE
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const [directory, secondsFile] = process.argv.slice(2);
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
    if (endTime > startTime && !name.startsWith('unit')) seconds.set(file, Math.round((endTime - startTime) / 1000));
  }
}
writeFileSync(secondsFile, [...seconds].map(([file, taken]) => `${taken} ${file}\n`).join(''));
if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
