import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { configurationsIn } from '../../src/plan/formats/configuration.ts';

const folder = mkdtempSync(join(tmpdir(), 'configuration-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a file called hosts is not a folder of hosts', () => {
  writeFileSync(join(folder, 'hosts'), '127.0.0.1 localhost\n');
  expect(configurationsIn(folder)).toEqual({ hosts: {} });
  mkdirSync(join(folder, 'machines/web'), { recursive: true });
  writeFileSync(join(folder, 'machines/web/configuration.nix'), '{ }');
  expect(configurationsIn(folder)).toEqual({ hosts: { web: 'machines/web/configuration.nix' } });
});
