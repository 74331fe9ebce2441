// What a deployment takes, against the same by hand: `nix copy`, `nix-env --set` and `switch-to-configuration` over one shared
// connection. The closure is on the target already, since bytes take as long either way. And when the last of several hosts
// has ended, against the slowest of them alone, although two others are off and one fails its check.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../src/context.ts';
import { deploy } from '../../src/deploy/index.ts';
import { exec } from '../../src/exec.ts';
import {
  address,
  buildSystems,
  configuration,
  context,
  deployment,
  deployOne,
  localNix,
  recorder,
} from '../e2e/support/deploy-fixture.ts';
import { silentAddress } from '../e2e/support/link.ts';
import { generateKey, startSystemdTarget, type Target } from '../e2e/support/target.ts';
import { compare, timed } from './compare.ts';

const pairs = 5;
const key = await generateKey('deploy');
const nix = await localNix();
const systems = await buildSystems(nix);
const one = systems.one ?? '';
const two = systems.two ?? '';
const start = (name: string): Promise<Target> => startSystemdTarget({ name, deployKey: key });

/** ssh's arguments for a target, with a connection that is shared. */
async function sshTo(target: Target): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'hand-'));
  const file = (name: string): string => join(directory, name);
  await exec('sh', [
    '-c',
    'umask 077; printf %s "$0" >"$1"; echo "$2" >"$3"',
    key.private,
    file('key'),
    target.knownHosts,
    file('hosts'),
  ]);
  const options = [
    `ControlPath=${file('c')}`,
    'ControlMaster=auto',
    'ControlPersist=5',
    `UserKnownHostsFile=${file('hosts')}`,
  ];
  return ['-i', file('key'), ...options.flatMap(option => ['-o', option])];
}

async function byHand(target: Target, toplevel: string): Promise<void> {
  const ssh = await sshTo(target);
  const there = `root@${target.address}`;
  const env = { ...nix.environment(), NIX_SSHOPTS: ssh.join(' ') };
  const set = `nix-env -p /nix/var/nix/profiles/system --set ${toplevel} && ${toplevel}/bin/switch-to-configuration switch`;
  await exec('ssh', [...ssh, there, 'true']);
  await nix.run('nix', ['copy', '--no-check-sigs', '--to', `ssh-ng://${there}`, toplevel], { env });
  await exec('ssh', [...ssh, there, set]);
  await exec('ssh', [...ssh, '-O', 'exit', there]);
}

async function ours(target: Target, toplevel: string, confirmTimeout: number): Promise<void> {
  const config = configuration('switch', key.private, target.knownHosts, { confirmTimeout });
  const outcome = await deployOne(nix, config, deployment(target, toplevel));
  if (outcome.outcome !== 'deployed') throw new Error(outcome.message);
}

const web = await start('web');
await ours(web, two, 0);
await ours(web, one, 0);
for (const [what, confirmTimeout] of [
  ['with a confirmation', 30],
  ['without one', 0],
] as const) {
  const measured: { ours: number; theirs: number }[] = [];
  while (measured.length < pairs) {
    const hand = await timed(() => byHand(web, two));
    await ours(web, one, 0);
    const own = await timed(() => ours(web, two, confirmTimeout));
    await ours(web, one, 0);
    measured.push({ ours: own.seconds, theirs: hand.seconds });
  }
  measured.sort((a, b) => a.ours / a.theirs - b.ours / b.theirs);
  const median = measured[Math.floor(pairs / 2)] as (typeof measured)[number];
  compare({ what: `switch ${what}`, ...median, reference: 'nix copy, nix-env, switch by hand', expected: 3 });
}
await web.stop();

const names = ['a', 'b', 'c', 'd', 'e', 'sick'];
const targets = await Promise.all(names.map(start));
const off = [await silentAddress(), await silentAddress()];
const check = { description: 'it is well', cmd: ['false'], period: 1, timeout: 5 };
const wanted = [
  ...off.map((silent, index) =>
    deployment(targets[0] as Target, one, {
      host: `off${index}`,
      target: address(targets[0] as Target, { address: silent }),
    }),
  ),
  ...targets.map(target =>
    deployment(target, one, target.machine.name === 'sick' ? { healthChecks: { cmd: [check], http: [] } } : {}),
  ),
];
const pinned = [
  ...targets.map(({ knownHosts }) => knownHosts),
  ...off.map(silent => `${silent} ${targets[0]?.hostKey.public}`),
];
const config = configuration('switch', key.private, pinned.join('\n'), { parallel: 10, healthTimeout: 60 });
const began = performance.now();
const ended = new Map<string, number>();
const watched = {
  ...context(recorder()),
  progress: (event: Parameters<Context['progress']>[0]): void => {
    if ('host' in event && event.state === 'done') ended.set(event.host, (performance.now() - began) / 1000);
  },
};
const deployed = (await deploy(wanted, config, nix, watched)).filter(({ outcome }) => outcome === 'deployed');
if (deployed.length !== 5) throw new Error(`${deployed.length} hosts were deployed`);
compare({
  what: 'five hosts, with two that are off and one that fails',
  ours: Math.max(...deployed.map(({ host }) => ended.get(host) ?? Number.POSITIVE_INFINITY)),
  reference: 'the slowest of them',
  theirs: Math.max(...deployed.map(({ seconds }) => seconds)),
  expected: 1.1,
});
await Promise.all(targets.map(target => target.stop()));
