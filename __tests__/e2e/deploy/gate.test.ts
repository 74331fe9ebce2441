import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { archive, verifyArchive } from '../../../src/archive/index.ts';
import type { Built } from '../../../src/build/built.ts';
import { checkTargets, deploymentsOfArchives } from '../../../src/deploy/index.ts';
import { type Preview, preview } from '../../../src/preview/index.ts';
import { host } from '../../report/run.ts';
import { address, configuration, context, deployOne, recorder } from '../support/deploy-fixture.ts';
import { committed, GateFixture, type Name } from '../support/gate-fixture.ts';
import type { Key } from '../support/target.ts';

// A target that is only reached through its gate: the whole of a deployment, with keys that can do nothing else.

let gate: GateFixture;

beforeAll(async () => {
  gate = await GateFixture.start();
}, 240_000);
afterAll(() => gate?.stop());

const user = 'nix-ferry';
const newer = { commit: 'b'.repeat(40), repository: 'acme/fleet', branch: 'main', committed: committed.newer };
const check = (command: string) => ({
  cmd: [{ description: "it's a check", cmd: [command], period: 1, timeout: 5 }],
  http: [],
});

describe('the deploy key', () => {
  test('predicts a switch', async () => {
    const outcome = await gate.deploy('two', { origin: newer }, { mode: 'dry-activate' });
    expect(outcome).toMatchObject({
      outcome: 'planned',
      units: { stop: ['worker.service'], start: ['worker.service'] },
    });
    expect(await gate.target.currentSystem()).toBe(gate.toplevels.one);
  }, 120_000);

  test('deploys a signed system, confirms it, and leaves its name', async () => {
    const checks = { preDeployChecks: check('test 1 = 1'), healthChecks: check("touch '/run/a check'") };
    const outcome = await gate.deploy('two', { origin: newer, ...checks });
    expect(outcome).toMatchObject({ outcome: 'deployed', message: 'Runs and boots the new system.' });
    expect(await gate.target.currentSystem()).toBe(gate.toplevels.two);
    expect(await gate.target.says('ls', '/run/a check')).toBe('/run/a check');
    const record = JSON.parse(await gate.target.says('cat', '/var/lib/nix-ferry/deployed.json'));
    const by = `acme/fleet run 7 (key ${await gate.fingerprint(gate.keys.deploy)})`;
    expect(record).toMatchObject({ ...newer, host: 'web', toplevel: gate.toplevels.two, by });
    expect(await gate.target.says('sh', '-c', 'ls -d /run/nix-ferry/*/ /run/nix-ferry-gate.* 2>/dev/null; :')).toBe('');
  }, 120_000);

  test('finds a system that is there', async () => {
    expect(await gate.deploy('two', { origin: newer })).toMatchObject({ outcome: 'unchanged' });
  });

  test('deploys for the next boot', async () => {
    const outcome = await gate.deploy('three', { origin: newer }, { mode: 'boot' });
    expect(outcome).toMatchObject({ outcome: 'deployed', message: 'The next boot starts the new system.' });
    expect(await gate.target.currentSystem()).toBe(gate.toplevels.two);
  }, 60_000);

  test('has a system taken back whose health check fails', async () => {
    const outcome = await gate.deploy('one', { origin: newer, healthChecks: check('false') }, { healthTimeout: 2 });
    expect(outcome).toMatchObject({ outcome: 'rolled-back', message: expect.stringContaining("it's a check") });
    expect(await gate.target.currentSystem()).toBe(gate.toplevels.two);
  }, 60_000);

  test('deploys another gate, whose sudo does not know the one that the connection has begun with', async () => {
    const { target } = gate;
    const rule = await target.says('cat', '/etc/sudoers.d/nix-ferry');
    for (const system of ['another-gate', 'two'] as const) {
      expect(await gate.deploy(system, { origin: newer })).toMatchObject({ outcome: 'deployed' });
      expect(await target.says('sh', '-c', 'ls -d /run/nix-ferry/*/ 2>/dev/null; :')).toBe('');
      const now = await target.says('cat', '/etc/sudoers.d/nix-ferry');
      if (system === 'two') expect(now).toBe(rule);
      else expect(now).not.toBe(rule);
    }
  }, 120_000);

  test('has a system taken back that does not know it', async () => {
    const outcome = await gate.deploy('locked-out', { origin: newer }, { confirmTimeout: 5 });
    expect(outcome).toMatchObject({ outcome: 'rolled-back', message: expect.stringContaining('Permission denied') });
    expect(await gate.target.currentSystem()).toBe(gate.toplevels.two);
  }, 120_000);

  test('is refused an older system, in words', async () => {
    const outcome = await gate.deploy(
      'one',
      { origin: { ...newer, committed: committed.first } },
      { allowOlder: true },
    );
    expect(outcome).toMatchObject({ outcome: 'refused', message: expect.stringContaining('is newer than') });
  }, 60_000);

  test('is refused a system of which a path is there without a signature, in words', async () => {
    await gate.give('unsigned');
    await gate.sign(['unsigned'], 'own');
    const outcome = await gate.deploy('unsigned', { origin: newer });
    expect(outcome).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('No key of this machine has signed'),
    });
    // As the message says: root's own deployment brings the signatures of paths that are there.
    expect(await gate.deployAsRoot('unsigned', { origin: newer }, gate.signing.own.secret)).toMatchObject({
      outcome: 'deployed',
    });
    expect(await gate.deploy('two', { origin: newer })).toMatchObject({ outcome: 'deployed' });
    expect(await gate.deploy('unsigned', { origin: newer })).toMatchObject({ outcome: 'deployed' });
  }, 60_000);

  test('is refused a closure that the target does not accept, with what to do', async () => {
    const signingKey = gate.signing.other.secret;
    const outcome = await gate.deploy('foreign', { origin: newer }, { signingKey });
    const cure = 'the public half of `signing-key` belongs in `services.nix-ferry.gate.signingKeys` there';
    expect(outcome).toMatchObject({ outcome: 'refused', message: expect.stringContaining(cure) });
  }, 60_000);

  test('deploys a signed archive without a signing key', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'archives-'));
    const provenance = { ...newer, run: null, producer: 'a test' };
    const signingKey = gate.signing.own.secret;
    const archiveConfig = { archive: 'full' as const, includeSource: false, source: null, provenance, directory };
    const make = async (key: string | null) => {
      const [made] = await archive(
        [await built('one')],
        { ...archiveConfig, signingKey: key },
        gate.nix,
        context(recorder()),
        null,
      );
      const taken = await verifyArchive(made?.directory ?? '', [], gate.nix, context(recorder()));
      const [wanted] = deploymentsOfArchives([taken], { web: `${user}@${gate.target.address}` });
      if (wanted === undefined) throw new Error('no deployment');
      const config = configuration('switch', gate.keys.deploy.private, gate.target.knownHosts);
      return deployOne(gate.nix, config, wanted);
    };
    await expect(make(null)).rejects.toThrow('The archive of web is not signed');
    expect(await make(signingKey)).toMatchObject({ outcome: 'deployed', message: 'Runs and boots the new system.' });
  }, 120_000);
});

/** A host of the build stage. */
async function built(name: Name, as = user): Promise<Built> {
  const toplevel = gate.toplevels[name];
  const closure = await gate.nix.closure([toplevel]);
  const wanted = { ...host('web'), target: address(gate.target, { user: as }) };
  return { host: wanted, ok: true, toplevel, closure, closureBytes: 0, builtDerivations: 0 };
}

describe('previews', () => {
  async function ask(key: Key, as = user): Promise<Preview | undefined> {
    const { knownHosts } = gate.target;
    const config = configuration('preview', key.private, knownHosts);
    const [answer] = await preview([await built('three', as)], config, context(recorder()));
    return answer;
  }

  test.each(['preview', 'deploy'] as const)(
    'with the %s key',
    async key => {
      expect(await ask(gate.keys[key])).toMatchObject({
        known: true,
        comparedWith: 'target',
        change: { before: gate.toplevels.one, after: gate.toplevels.three },
      });
    },
    60_000,
  );

  test('with a key of no gate', async () => {
    expect(await ask(gate.keys.admin)).toMatchObject({ known: false, why: 'refused' });
  }, 60_000);
});

describe('what is wrong is said', () => {
  test('before anything is built: there is no signing key', () => {
    const config = configuration('switch', gate.keys.deploy.private, gate.target.knownHosts);
    const wanted = gate.deployment('two', { target: address(gate.target, { user }) });
    expect(() => checkTargets(config, [{ ...wanted, archive: null }])).toThrow(
      'The gate of web accepts only signed systems, and there is no `signing-key`',
    );
  });

  test('the target has no gate', async () => {
    const { target } = gate;
    await target.says('sh', '-c', 'cp /etc/ssh/gate_keys /tmp/keys && cp /etc/ssh/authorized_keys /etc/ssh/gate_keys');
    const outcome = await gate.deploy('two', { origin: newer }, { key: gate.keys.admin });
    await target.says('cp', '/tmp/keys', '/etc/ssh/gate_keys');
    expect(outcome).toMatchObject({ outcome: 'refused', message: expect.stringContaining('has no gate') });
  }, 60_000);

  test('the key is restricted, and the user is another one', async () => {
    const { target } = gate;
    await target.says('sh', '-c', 'cat /etc/ssh/gate_keys >> /etc/ssh/authorized_keys');
    const outcome = await gate.deploy('two', { origin: newer, target: address(target) });
    expect(outcome).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining(`The key is restricted: write \`nix-ferry@${target.address}\``),
    });
  }, 60_000);

  test('the gate speaks another version', async () => {
    const { target } = gate;
    const script = `now=$(grep -o '/nix/store/[^ ]*-nix-ferry-gate' /etc/ssh/gate_keys | head -n 1)
      cp -rL "$now" /tmp/gate && sed -i s/^protocol=1/protocol=2/ /tmp/gate/gate && sed -i "s|$now|/tmp/gate|" /etc/ssh/gate_keys`;
    await target.says('sh', '-c', script);
    const outcome = await gate.deploy('two', { origin: newer });
    await target.says('cp', '/tmp/keys', '/etc/ssh/gate_keys');
    expect(outcome).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining("has version 2 of the gate's protocol, and was asked in version 1"),
    });
  }, 60_000);
});
