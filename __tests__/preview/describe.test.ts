import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { describeScript } from '../../src/preview/index.ts';

test('the script brings every function that it shares with the activation', () => {
  // Its answer hides what a shell prints about a function that does not exist.
  const script = describeScript().replaceAll(' 2>/dev/null', '');
  const { stdout, stderr } = spawnSync('sh', ['-c', script, 'nix-ferry', 'describe'], { encoding: 'utf8' });
  expect(stdout).toMatch(/^nix-ferry-description=1 /);
  expect(stderr).not.toContain('not found');
});
