import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DeployConfig } from '../../../src/deploy/index.ts';
import type { Secret } from '../../../src/plan/fleet.ts';
import { SecretText } from '../../../src/plan/secret-text.ts';
import { preview } from '../../../src/preview/index.ts';
import type { SecretChange } from '../../../src/preview/secrets.ts';
import { host } from '../../report/run.ts';
import { address, configuration, context, recorder } from '../support/deploy-fixture.ts';
import { GateFixture } from '../support/gate-fixture.ts';

// A preview with a preview key, which cannot become root, says which secrets would change, by digests that the target keeps.

let gate: GateFixture;

beforeAll(async () => {
  gate = await GateFixture.start();
}, 240_000);
afterAll(() => gate?.stop());

function secret(name: string, text: string | Secret['source'], more: Partial<Secret> = {}): Secret {
  return {
    ...{ name, source: typeof text === 'string' ? { text: new SecretText(text) } : text },
    ...{ destination: `/var/lib/keys/${name}`, user: 'root', group: 'root', permissions: '0400', action: [] },
    ...{ mkDirs: true, uploadAt: 'pre-activation', ...more },
  };
}

/** What a preview with the preview key says of these secrets. */
async function ask(secrets: Secret[], more: Partial<DeployConfig> = {}): Promise<SecretChange | null> {
  const toplevel = gate.toplevels.one;
  const closure = await gate.nix.closure([toplevel]);
  const target = address(gate.target, { user: 'nix-ferry' });
  const built = { host: { ...host('web'), target, secrets }, ok: true as const, toplevel, closure };
  const config = { signingKey: gate.signing.own.secret, ...more };
  const [answer] = await preview(
    [{ ...built, closureBytes: 0, builtDerivations: 0 }],
    configuration('preview', gate.keys.preview.private, gate.target.knownHosts, config),
    context(recorder()),
  );
  if (!answer?.known) throw new Error(JSON.stringify(answer));
  return answer.change.secrets;
}

const nothing = { added: [], removed: [], changed: [], unknown: [] };
const odd = 'odd "name" ';
const memory = { destination: '/run/keys/memory' };
const sent = (text: string): Secret[] => [
  secret('weak', text),
  secret('same', 'the same'),
  secret(odd, 'odd'),
  secret('memory', 'in memory', memory),
];

test('a host without secrets has nothing to compare', async () => {
  expect(await ask([])).toBeNull();
});

test('before a run with a signing key has sent them, they are not compared', async () => {
  expect(await ask([secret('weak', '0000')])).toEqual({ ...nothing, unknown: ['weak'] });
});

test('what would change is named: another content, owner or mode', async () => {
  expect(await gate.deploy('one', { secrets: sent('0000') })).toMatchObject({ outcome: 'deployed' });
  expect(await ask(sent('0000'))).toEqual(nothing);
  expect(await ask(sent('0001'))).toEqual({ ...nothing, changed: ['weak'] });
  const others = [secret('weak', '0000', { permissions: '0440' }), secret('same', 'the same', { user: 'daemon' })];
  expect(await ask(others)).toEqual({ ...nothing, changed: ['weak', 'same'] });
}, 120_000);

test('commands are not run, and nothing is read in a run for a pull request or without the signing key', async () => {
  const command = [secret('same', { command: ['touch', '/tmp/ran-by-a-preview'] }), secret('weak', '0001')];
  expect(await ask(command)).toEqual({ ...nothing, changed: ['weak'], unknown: ['same'] });
  const all = ['weak', 'same', odd, 'memory'];
  expect(await ask(sent('0001'), { ownCode: false })).toEqual({ ...nothing, unknown: all });
  expect(await ask(sent('0001'), { signingKey: null })).toEqual({ ...nothing, unknown: all });
  expect(await ask(sent('0000'), { signingKey: gate.signing.other.secret })).toEqual({ ...nothing, unknown: all });
  const missing = [secret('same', { env: 'NOT_SET' }), secret('weak', { file: '/nowhere' })];
  expect(await ask(missing)).toEqual({ ...nothing, unknown: ['same', 'weak'] });
});

test('what everybody may read there has no content, no plain hash of it, and differs each time it is sent', async () => {
  const record = (): Promise<string> =>
    gate.target.says('su', '-s', '/bin/sh', 'nobody', '-c', 'cat /var/lib/nix-ferry/secrets');
  const before = await record();
  expect(before.split('\n').map(line => line.replace(/^[0-9a-f]{32} [0-9a-f]{64} \S+ /, ''))).toEqual(
    sent('').map(({ destination }) => destination),
  );
  const weak = await gate.target.says('sh', '-c', 'sha256sum </var/lib/keys/weak | cut -d " " -f 1');
  expect(before).not.toContain(weak);
  expect(await gate.deploy('one', { secrets: sent('0000') }, { mode: 'secrets' })).toMatchObject({
    outcome: 'unchanged',
  });
  const after = await record();
  expect(new Set([...before.split('\n'), ...after.split('\n')]).size).toBe(2 * sent('').length);
  expect(await ask(sent('0000'))).toEqual(nothing);
}, 60_000);

test('a run that is taken back changes no digest', async () => {
  const failing = sent('0001').map(each => ({ ...each, action: ['false'] }));
  const outcome = await gate.deploy('one', { secrets: failing }, { mode: 'secrets' });
  expect(outcome).toMatchObject({ outcome: 'rolled-back' });
  expect(await ask(sent('0000'))).toEqual(nothing);
  expect(await ask(sent('0001'))).toEqual({ ...nothing, changed: ['weak'] });
}, 60_000);

test('a run without the signing key makes them unknown that it changes', async () => {
  const outcome = await gate.deployAsRoot('one', { secrets: sent('0002') });
  expect(outcome).toMatchObject({ outcome: 'deployed', secrets: { changed: ['weak'] } });
  expect(await ask(sent('0002'))).toEqual({ ...nothing, unknown: ['weak'] });
  expect(await gate.deployAsRoot('one', { secrets: sent('0002') }, gate.signing.own.secret)).toMatchObject({
    outcome: 'unchanged',
  });
  expect(await ask(sent('0002'))).toEqual(nothing);
}, 60_000);

test('those that a reboot has removed are named, also if their sources are not read', async () => {
  await gate.target.says('rm', '/run/keys/memory', '/var/lib/keys/same');
  expect(await ask(sent('0002'), { ownCode: false })).toEqual({
    ...nothing,
    added: ['same', 'memory'],
    unknown: ['weak', odd],
  });
  // As after a reboot, where nobody may look into the directory.
  await gate.target.says('sh', '-c', `mkdir -p /run/keys && chmod 700 /run/keys && : >/run/keys/memory`);
  await gate.target.says('sh', '-c', `sed -i 's/ [^ ]* \\/run\\// before \\/run\\//' /var/lib/nix-ferry/secrets`);
  expect((await ask(sent('0002')))?.added).toEqual(['same', 'memory']);
});
