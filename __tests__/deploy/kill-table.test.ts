import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { phases } from '../e2e/support/activation-driver.ts';
import { type Kind, killPoints, kinds } from '../e2e/support/kill-table.ts';

const directory = join(import.meta.dirname, '../e2e/deploy');

test(`the table of kill points has ${killPoints.length} combinations, some for every phase`, () => {
  expect(killPoints.length).toBeGreaterThanOrEqual(60);
  for (const kind of Object.keys(kinds) as Kind[]) {
    expect(readFileSync(join(directory, `${kinds[kind]}.test.ts`), 'utf8')).toContain('phasesOf(');
    const covered = killPoints.filter(([, each]) => each === kind).map(([phase]) => phase);
    if (kind !== 'its unit frozen') expect(covered).toEqual(phases);
  }
});
