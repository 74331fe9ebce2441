import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Format } from '../../../src/plan/fleet.ts';
import { option, plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { fleetOf, sound } from '../support/plan-sources.ts';

/** What the peers add to a host for keys and checks. Their names are part of what configurations refer to. */
let fixture: PlanFixture;

beforeAll(async () => {
  fixture = await PlanFixture.create('2.26');
}, 120_000);
afterAll(() => fixture.remove());

const optionOf = (folder: string, path: string): Promise<unknown> =>
  option(fixture.config(folder), 'web', path, fixture.nix, fixture.context);

test.each<[Format, string]>([
  ['colmena', 'colmena-chown-keys'],
  ['nixops', 'nixops-keys'],
])('%s: the activation script %s gives a key to its owner', async (format, script) => {
  const keys = fixture.newPath('keys');
  const key = `deployment.keys."a'b" = { text = "x"; destDir = "${keys}"; user = "nobody"; group = "nogroup"; };`;
  const { files } = fleetOf(format, { web: sound(key) }, fixture);
  const folder = await fixture.repository(files);
  expect(await optionOf(folder, 'systemd.services')).toHaveProperty(["a'b-key", 'preStart'], expect.any(String));
  const snippet = (await optionOf(folder, `system.activationScripts.${script}`)) as { text: string };
  // Before the key is there, it does nothing.
  expect(spawnSync('sh', ['-ec', snippet.text]).status).toBe(0);
  mkdirSync(keys);
  const file = join(keys, "a'b");
  writeFileSync(file, 'x');
  expect(spawnSync('sh', ['-ec', snippet.text]).status).toBe(0);
  expect([statSync(file).uid, statSync(file).gid]).toEqual([65534, 65534]);
});

test('morph: the commands of checks are part of the system, under the name and in the order of morph', async () => {
  const checks =
    'deployment = { healthChecks.cmd = [ { description = "h"; cmd = [ "after" ]; } ]; preDeployChecks.cmd = [ { description = "p"; cmd = [ "before" "it" ]; } ]; };';
  const of = async (more: string): Promise<string> => {
    const { files } = fleetOf('morph', { web: sound(more) }, fixture);
    const { hosts } = await plan(fixture.config(await fixture.repository(files)), fixture.nix, fixture.context);
    const drvPath = hosts[0]?.toplevel.drvPath ?? '';
    const { stdout } = await fixture.nix.run('nix-store', ['--query', '--requisites', drvPath]);
    return stdout.split('\n').find(path => path.endsWith('-healthcheck-commands.txt.drv')) ?? '';
  };
  const { stdout } = await fixture.nix.run('nix-store', ['--query', '--binding', 'text', await of(checks)]);
  expect(stdout.trim()).toBe('before\nit\nafter');
  // Also without checks, as in morph.
  expect(await of('')).not.toBe('');
});
