import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/deploy/outcome.ts';
import { signClosures } from '../../../src/nix/sign.ts';
import type { ActionResult } from '../support/action.ts';
import { context, localNix, recorder } from '../support/deploy-fixture.ts';
import { Fleet } from '../support/fleet.ts';
import { buildGate, installGate } from '../support/gate-fixture.ts';
import { signingKey } from '../support/keys.ts';
import { generateKey, type Key, type Target } from '../support/target.ts';

// The whole pipeline with keys that can only speak to gates, for targets of both systems. Nobody but the test itself logs in
// as root.

let fleet: Fleet;
let keys: { deploy: Key; preview: Key };
const signing = signingKey('fleet-1');
const secretText = 'a-secret-that-goes-through-a-gate';

beforeAll(async () => {
  const [deploy, preview] = [await generateKey('deploy-only'), await generateKey('preview-only')];
  keys = { deploy, preview };
  fleet = await Fleet.start();
  const nix = await localNix('2.34');
  const login = join(mkdtempSync(join(tmpdir(), 'login-')), 'key');
  writeFileSync(login, fleet.deployKey.private, { mode: 0o600 });
  const ssh = `-F none -i ${login} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null`;
  for (const target of fleet.targets) {
    const options = {
      host: target.machine.name,
      deployKeys: [deploy.public],
      previewKeys: [preview.public],
      signingKeys: [signing.public],
    };
    const { toplevels, installed } = await buildGate(nix, target.system, options, 'one');
    // As the first deployment of the module does, if it has the signing key.
    await signClosures([toplevels.one], signing.secret, nix, context(recorder()));
    const store = `ssh-ng://root@${target.address}`;
    await nix.run('nix', ['copy', '--no-check-sigs', '--to', store, toplevels.one], {
      env: { ...nix.environment(), NIX_SSHOPTS: ssh },
    });
    await installGate(target, installed);
  }
  // From here on, root's key is not accepted any more.
  for (const target of fleet.targets) await target.says('sh', '-c', ': > /etc/ssh/authorized_keys');
  const declared = `ferry.server.secrets.db = { source.env = "DB"; destination = "/run/keys/db"; };
      nixosConfigurations = {`;
  await fleet.change('flake.nix', text => text.replace('nixosConfigurations = {', () => declared));
}, 600_000);
afterAll(() => fleet?.stop());

/** A step with one of the keys. */
function step(key: Key, inputs: Record<string, string>, settings: object = {}): Promise<ActionResult> {
  const at = ({ address }: Target): object => ({ address: `nix-ferry@${address}`, ...settings });
  const targets = JSON.stringify({ server: at(fleet.server), router: at(fleet.router) });
  const secrets = [keys.deploy.private, keys.preview.private, signing.secret, secretText, fleet.results.token];
  return fleet.step(
    { 'deploy-key': key.private, targets, ...inputs },
    { secrets, env: { FERRY_SECRET_DB: secretText } },
  );
}

const errors = ({ main }: ActionResult): string[] =>
  main.annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
const outcomes = (result: ActionResult): Record<string, Outcome> => JSON.parse(result.outputs.outcomes ?? '{}');
const systems = (): Promise<(string | null)[]> => Promise.all(fleet.targets.map(target => target.currentSystem()));
const secret = (): Promise<string> => fleet.server.says('cat', '/run/keys/db');
const sign = { 'signing-key': signing.secret };

test('both targets are deployed and confirmed, with their secrets', async () => {
  const result = await step(keys.deploy, { mode: 'switch', ...sign });
  expect(errors(result)).toEqual([]);
  expect(outcomes(result)).toMatchObject({ server: { outcome: 'deployed' }, router: { outcome: 'deployed' } });
  expect(result.leaks).toEqual([]);
  expect(await secret()).toBe(secretText);
  const { by } = JSON.parse(await fleet.server.says('cat', '/var/lib/nix-ferry/deployed.json'));
  expect(by).toMatch(/ \(key SHA256:[A-Za-z0-9+/]{43}\)$/);
}, 600_000);

test('the preview key previews a change of both, and cannot deploy it', async () => {
  await fleet.change('modules/greeting.nix', text => text.replace('Welcome to', 'Hello at'));
  const before = await systems();
  const shown = await step(keys.preview, { mode: 'preview' });
  expect(errors(shown)).toEqual([]);
  expect(JSON.parse(shown.outputs.changes ?? '{}')).toMatchObject({
    server: { changed: true },
    router: { changed: true },
  });
  const refused = await step(keys.preview, { mode: 'switch', ...sign });
  expect(refused.main.code).toBe(1);
  const why = { outcome: 'refused', message: expect.stringContaining('this key may only describe') };
  expect(outcomes(refused)).toMatchObject({ server: why, router: why });
  expect(await systems()).toEqual(before);
}, 600_000);

test('a system whose health check fails is taken back on both', async () => {
  const before = await systems();
  const healthChecks = { cmd: [{ description: 'never', cmd: ['false'] }] };
  const result = await step(
    keys.deploy,
    { mode: 'switch', 'health-timeout': '2', 'max-failures': '2', ...sign },
    { healthChecks },
  );
  expect(outcomes(result)).toMatchObject({ server: { outcome: 'rolled-back' }, router: { outcome: 'rolled-back' } });
  expect(await systems()).toEqual(before);
}, 600_000);

test('without a signing key nothing is built', async () => {
  const result = await step(keys.deploy, { mode: 'switch' });
  expect(result.main.code).toBe(1);
  expect(errors(result).join('\n')).toContain('accepts only signed systems, and there is no `signing-key`');
  expect(errors(result).join('\n')).toContain('nix key generate-secret --key-name my-fleet-1');
}, 600_000);

test('the change is deployed, and secrets are sent alone', async () => {
  const result = await step(keys.deploy, { mode: 'switch', ...sign });
  expect(outcomes(result)).toMatchObject({ server: { outcome: 'deployed' }, router: { outcome: 'deployed' } });
  await fleet.server.says('rm', '/run/keys/db');
  const sent = await step(keys.deploy, { mode: 'secrets', ...sign });
  expect(outcomes(sent)).toMatchObject({ server: { outcome: 'deployed' }, router: { outcome: 'skipped' } });
  expect(await secret()).toBe(secretText);
}, 600_000);
