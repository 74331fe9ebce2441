import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/deploy/outcome.ts';
import { type ActionResult, type RunningAction, runAction, startAction } from '../support/action.ts';
import { silentAddress } from '../support/link.ts';
import { repository } from '../support/machine.ts';
import { Runner, work } from '../support/runner.ts';
import { generateKey, type Key, startSystemdTarget, type Target, until } from '../support/target.ts';

/** The hosts of fixtures/rollout/flake.nix whose machines are on; `off1` and `off2` are off. */
const live = ['canary', 'db', 'mail', 'sick', 'web1', 'web2'] as const;
type Live = (typeof live)[number];

let key: Key;
let runner: Runner;
let targets: Record<Live, Target>;
/** `targets` and `known-hosts` of all eight. */
let access: Record<string, string>;

beforeAll(async () => {
  key = await generateKey('deploy');
  const started = live.map(async name => [name, await startSystemdTarget({ name, deployKey: key })] as const);
  runner = await Runner.start({ nix: '2.26' });
  await checkOut();
  targets = Object.fromEntries(await Promise.all(started)) as typeof targets;
  const silent = [await silentAddress(), await silentAddress()];
  const tags: Partial<Record<Live, string>> = { canary: 'canary', web1: 'web', web2: 'web', sick: 'web', mail: 'late' };
  const lines = live.map(
    name => `${name}: { address: root@${targets[name].address}, tags: [${tags[name] ?? 'other'}] }`,
  );
  access = {
    'deploy-key': key.private,
    targets: [...lines, ...silent.map((address, index) => `off${index + 1}: root@${address}`)].join('\n'),
    'known-hosts': [
      ...live.map(name => targets[name].knownHosts),
      ...silent.map(address => `${address} ${targets.db.hostKey.public}`),
    ].join('\n'),
  };
  // Without a system before, there would be none to go back to.
  await targets.sick.says('touch', '/run/well');
  const first = await step({ hosts: '*, !off*' });
  expect(kindsOf(first)).toEqual({ deployed: [...live] });
  await targets.sick.says('rm', '/run/well');
  await release(2);
});
afterAll(() => Promise.all([runner?.stop(), ...live.map(name => targets?.[name].stop())]));
beforeEach(async () => {
  await Promise.all(live.map(name => targets[name].says('rm', '-f', '/run/begun', '/run/gate')));
});

async function checkOut(): Promise<void> {
  await runner.run(['cp', '-R', `${repository}/examples/embedded/.`, '.']);
  await runner.run(['chmod', '-R', 'u+w', '.']);
  await runner.run(['cp', `${repository}/__tests__/e2e/support/fixtures/rollout/flake.nix`, '.']);
  await runner.run(['sh', './fetch-bootstrap.sh', 'nixpkgs/bootstrap', 'x86_64-linux']);
  await runner.run(['git', 'init', '-q', '-b', 'main']);
  await release(1);
}

async function release(number: number): Promise<void> {
  writeFileSync(runner.machine.path(join(work.workspace, 'release')), String(number));
  await runner.commit();
}

const always = { mode: 'switch', archive: 'none', 'health-timeout': '4', 'confirm-timeout': '200' };
const order = (inputs: Record<string, string>) => ({
  inputs: { ...always, ...access, ...inputs },
  secrets: [key.private],
});
const step = (inputs: Record<string, string>): Promise<ActionResult> => runAction(runner, order(inputs));

/** Whether the activation script of the new system runs on these targets, or has. */
const begun = (names: readonly Live[]) =>
  Promise.all(names.map(name => targets[name].says('test', '-e', '/run/begun')));
const hold = (names: readonly Live[]) => Promise.all(names.map(name => targets[name].says('touch', '/run/gate')));
const open = (names: readonly Live[]) => Promise.all(names.map(name => targets[name].says('rm', '-f', '/run/gate')));

function outcomesOf({ outputs }: ActionResult): Record<string, Outcome> {
  return JSON.parse(outputs.outcomes ?? '{}') as Record<string, Outcome>;
}

/** Kind of outcome → hosts, as the outputs have it. */
function kindsOf(result: ActionResult): Record<string, string[]> {
  const kinds: Record<string, string[]> = {};
  for (const [host, { outcome }] of Object.entries(outcomesOf(result)))
    kinds[outcome] = [...(kinds[outcome] ?? []), host];
  return kinds;
}

const titleOf = ({ summary }: ActionResult): string | undefined => /^## .*$/m.exec(summary)?.[0];
const systemsOf = (names: readonly Live[]) => Promise.all(names.map(name => targets[name].currentSystem()));

test('two are off and one fails its check: the other five are deployed, all at the same time', async () => {
  await hold(live);
  const running = startAction(runner, order({ 'max-failures': '8' }));
  await Promise.race([until(() => begun(live), 'all six activations'), running.done]);
  await begun(live);
  await open(live);
  const result = await running.done;
  expect(kindsOf(result)).toEqual({
    deployed: ['canary', 'db', 'mail', 'web1', 'web2'],
    unreachable: ['off1', 'off2'],
    'rolled-back': ['sick'],
  });
  expect(titleOf(result)).toBe('## Nix Ferry: 5 deployed, 2 unreachable, 1 rolled-back');
  const errors = result.main.annotations.filter(({ level }) => level === 'error');
  expect(errors.map(({ message }) => /^\w+/.exec(message)?.[0])).toEqual(['off1', 'off2', 'sick']);
  expect([result.main.code, result.outputs.changed, result.leaks]).toEqual([1, 'true', []]);
  for (const [host, { outcome, before, after }] of Object.entries(outcomesOf(result))) {
    if (host in targets) expect(await targets[host as Live].currentSystem()).toBe(after);
    if (outcome === 'deployed') expect(after).not.toBe(before);
  }
});

test('a host is off, and `offline: skip` for it alone: it is skipped with a warning', async () => {
  const own = access.targets?.replace(/off1: (.*)/, 'off1: { address: $1, offline: skip }') ?? '';
  const result = await step({ targets: own, hosts: 'off1,off2,db' });
  expect(kindsOf(result)).toEqual({ skipped: ['off1'], unreachable: ['off2'], unchanged: ['db'] });
  const warnings = result.main.annotations.filter(({ level }) => level === 'warning');
  expect(warnings.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^off1 is skipped\. No connection to /),
  ]);
});

test('waves: if a host of one fails, later ones are not started, and their closures are copied meanwhile', async () => {
  await release(3);
  const before = await systemsOf(['db', 'mail']);
  await hold(['canary']);
  const running = startAction(runner, order({ waves: 'canary, web, @rest', 'max-failures': '8' }));
  // While the canary is activated, the other closures arrive.
  const copied = (name: Live) =>
    targets[name].says('sh', '-c', '[ "$(ls -d /nix/store/*-nixos-system-* | wc -l)" = 3 ]');
  await Promise.race([
    until(() => Promise.all((['web1', 'db', 'mail'] as const).map(copied)), 'the copies'),
    running.done,
  ]);
  await Promise.race([until(() => begun(['canary']), 'the activation of the canary'), running.done]);
  await expect(begun(['web1'])).rejects.toThrow();
  await open(['canary']);
  const result = await running.done;
  expect(kindsOf(result)).toEqual({
    deployed: ['canary', 'web1', 'web2'],
    'rolled-back': ['sick'],
    skipped: ['db', 'mail', 'off1', 'off2'],
  });
  expect(titleOf(result)).toBe('## Nix Ferry: 3 deployed, 4 skipped, 1 rolled-back');
  expect(outcomesOf(result).db?.message).toBe('Not started: sick of the wave `web` failed.');
  expect(await systemsOf(['db', 'mail'])).toEqual(before);
});

test('`max-failures`: no further host is started', async () => {
  const before = await systemsOf(['db', 'mail']);
  const result = await step({ waves: 'web, @rest', 'max-failures': '0' });
  expect(kindsOf(result)).toEqual({
    unchanged: ['web1', 'web2'],
    'rolled-back': ['sick'],
    skipped: ['canary', 'db', 'mail', 'off1', 'off2'],
  });
  expect(outcomesOf(result).db?.message).toBe('Not started: sick failed, and max-failures is 0.');
  expect(await systemsOf(['db', 'mail'])).toEqual(before);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s: nothing further is started, and what has begun is completed',
  async signal => {
    await release(signal === 'SIGINT' ? 4 : 5);
    const before = await systemsOf(live);
    await hold(['mail']);
    const running: RunningAction = startAction(runner, order({ waves: 'late, @rest' }));
    await Promise.race([until(() => begun(['mail']), 'the activation'), running.done]);
    running.signal(signal);
    // The gate is opened after the step has read the signal.
    await until(
      async () => expect(running.log()).toContain('Cancelled: no further host is started'),
      'the cancellation',
    );
    await open(['mail']);
    const result = await running.done;
    expect(kindsOf(result)).toEqual({
      deployed: ['mail'],
      skipped: ['canary', 'db', 'off1', 'off2', 'sick', 'web1', 'web2'],
    });
    expect(outcomesOf(result).db?.message).toBe('The run was cancelled before this host was started.');
    const after = await systemsOf(live);
    expect(after.map((system, index) => system === before[index])).toEqual(live.map(name => name !== 'mail'));
    expect(await targets.mail.profile()).toBe(await targets.mail.currentSystem());
  },
);

test('two hosts with the same target: one error before anything is built', async () => {
  const result = await step({ targets: access.targets?.replace(targets.web2.address, targets.web1.address) ?? '' });
  const errors = result.main.annotations.filter(({ level }) => level === 'error');
  expect(errors.map(({ message }) => message)).toEqual([
    expect.stringContaining(`The hosts web1 and web2 have the same target, ${targets.web1.address}.`),
  ]);
  expect(result.outputs.outcomes ?? '{}').toBe('{}');
});
