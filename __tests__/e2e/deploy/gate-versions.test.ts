import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { committed, GateFixture } from '../support/gate-fixture.ts';
import { until } from '../support/target.ts';

// What a gate asks Nix for, with the oldest and the newest Nix that a target may have; the other tests have one between them.

const newer = { commit: 'b'.repeat(40), repository: 'acme/fleet', branch: 'main', committed: committed.newer };

describe.each(['2.8', '2.34'] as const)('a target with Nix %s', version => {
  let gate: GateFixture;

  beforeAll(async () => {
    gate = await GateFixture.start('systemd', '2.34', { nix: version });
    expect(await gate.target.says('nix-store', '--version')).toContain(` ${version}`);
  }, 240_000);
  afterAll(() => gate?.stop());

  test('is predicted', async () => {
    expect(await gate.deploy('two', { origin: newer }, { mode: 'dry-activate' })).toMatchObject({ outcome: 'planned' });
  }, 60_000);

  test('accepts a signed system', async () => {
    expect(await gate.deploy('two', { origin: newer })).toMatchObject({ outcome: 'deployed' });
    expect(await gate.target.currentSystem()).toBe(gate.toplevels.two);
  }, 60_000);

  test('goes back to the system of before', async () => {
    expect(await gate.deploy('locked-out', { origin: newer }, { confirmTimeout: 5 })).toMatchObject({
      outcome: 'rolled-back',
    });
    expect(await gate.target.currentSystem()).toBe(gate.toplevels.two);
  }, 120_000);

  test('refuses an order that another key has signed', async () => {
    const { code, stderr } = await gate.run(await gate.order('one', { origin: newer }, 'other'));
    expect(code).toBe(77);
    expect(stderr).toContain('not signed by a key of this machine (it is signed by stranger-1)');
  });

  test('does not receive a path without a signature, and logs that', async () => {
    const copy = gate.nix.run('nix', ['copy', '--to', gate.store.url, gate.toplevels.unsigned], {
      env: gate.store.env,
    });
    await expect(copy).rejects.toThrow(/lacks a (valid )?signature/);
    await until(async () => {
      const journal = await gate.journal({ identifier: 'nix-ferry-gate' });
      expect(journal.at(-1)).toContain(`refused ${await gate.fingerprint(gate.keys.deploy)}`);
      expect(journal.at(-1)).toContain('Nix did not accept /nix/store/');
    }, 'the line of the journal');
  });

  /** Why the gate did not activate it. */
  const refusal = async (order: ReturnType<GateFixture['order']>) => (await gate.run(await order)).values.get('why');

  test('refuses a system that was never copied', async () => {
    expect(await refusal(gate.order('absent', { origin: newer }))).toMatch(/is not in the store/);
  }, 60_000);

  test('refuses a system that nobody has signed, or another key', async () => {
    const why = /no key of this machine has signed \/nix\/store\//;
    await gate.give('unsigned');
    expect(await refusal(gate.order('unsigned', { origin: newer }))).toMatch(why);
    await gate.sign(['foreign'], 'other');
    await gate.give('foreign');
    expect(await refusal(gate.order('foreign', { origin: newer }))).toMatch(why);
  }, 60_000);

  test('refuses a system that was built there', async () => {
    const expression = `derivation {
      name = "nixos-system-web"; system = "x86_64-linux"; builder = "/bin/sh"; PATH = "/bin:/usr/bin";
      args = [ "-c" "mkdir -p $out/bin; touch $out/bin/switch-to-configuration; chmod 755 $out/bin/*" ];
    }`;
    const args = ['build', '--no-link', '--print-out-paths', '--store', gate.store.url, '--expr', expression];
    const { stdout } = await gate.nix.run('nix', args, { env: gate.store.env });
    const why = await refusal(gate.order({ toplevel: stdout.trim() }, { origin: newer }));
    expect(why).toMatch(/no key of this machine has signed/);
    expect(await gate.target.currentSystem()).toBe(gate.toplevels.two);
  }, 60_000);
});
