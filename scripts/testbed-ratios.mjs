// Prints the table of a run of the benchmarks: the lines of JSON (Comparison in __tests__/bench/compare.ts) in the files of
// a directory.
//
// usage: testbed-ratios.mjs DIRECTORY
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory] = process.argv.slice(2);
const comparisons = readdirSync(directory)
  .sort()
  .flatMap(name => readFileSync(join(directory, name), 'utf8').split('\n'))
  .filter(line => line !== '')
  .map(line => JSON.parse(line));
const rows = comparisons.map(({ what, ours, reference, theirs, expected }) => [
  what,
  `${ours.toFixed(3)} s`,
  reference,
  `${theirs.toFixed(3)} s`,
  (ours / theirs).toFixed(3),
  `${ours / theirs <= expected ? '≤' : '✗ not ≤'} ${Number(expected.toPrecision(3))}`,
]);
const table = [['measured', 'ours', 'reference', 'theirs', 'ratio', 'expected'], ...rows];
const widths = table[0].map((_, column) => Math.max(...table.map(row => row[column].length)));
for (const row of table)
  console.log(
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
