import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import type { Nix } from '../../../src/nix/index.ts';
import { localNix } from '../support/deploy-fixture.ts';
import { embeddedFleet } from '../support/embedded.ts';
import { signingKey } from '../support/keys.ts';

// Configurations in which a gate could not work are errors of the evaluation, before anything is deployed.

let nix: Nix;

beforeAll(async () => {
  nix = await localNix('2.34');
});

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIKgeZnczjSghBBU0NRmHwtgiAt2M3LCrDmPdcrC5qU2';
const gate = { enable: true, deployKeys: [key], signingKeys: [signingKey('fleet-1').public] };

/** @returns the derivation of the system */
async function evaluate(options: Record<string, unknown>, security: Record<string, unknown> = {}): Promise<string> {
  const file = join(mkdtempSync(join(tmpdir(), 'module-')), 'configuration.json');
  writeFileSync(file, JSON.stringify({ services: { 'nix-ferry': { gate: { ...gate, ...options } } }, security }));
  const fixture = join(import.meta.dirname, '../support/fixtures/gate-module.nix');
  const args = ['--arg', 'nixpkgs', join(await embeddedFleet(), 'nixpkgs'), '--arg', 'configuration', file, fixture];
  return (await nix.run('nix-instantiate', ['--eval', ...args])).stdout;
}

test('a gate is accepted, with sudo or with sudo-rs', async () => {
  expect(await evaluate({})).toContain('.drv');
  const instead = { sudo: { enable: false }, 'sudo-rs': { enable: true, execWheelOnly: false } };
  expect(await evaluate({}, instead)).toContain('.drv');
  // Previews need no root.
  expect(await evaluate({ deployKeys: [], previewKeys: [key] }, { sudo: { enable: false } })).toContain('.drv');
}, 60_000);

test.each([
  ['no signing key', { signingKeys: [] }, {}, /deployKeys needs signingKeys/],
  ['no sudo', {}, { sudo: { enable: false } }, /needs security\.sudo\.enable or security\.sudo-rs\.enable/],
  ['sudo of wheel only', {}, { sudo: { execWheelOnly: true } }, /needs `execWheelOnly = false`/],
  ['sudo-rs of wheel only', {}, { 'sudo-rs': { enable: true, execWheelOnly: true } }, /needs `execWheelOnly = false`/],
  ['one key for both', { previewKeys: [key] }, {}, /A key is in both deployKeys and previewKeys/],
  ['a key with options', { deployKeys: [`no-pty ${key}`] }, {}, /deployKeys.* is not of type/],
  ['a key with a second line', { deployKeys: [`${key}\n${key}`] }, {}, /deployKeys.* is not of type/],
] as const)(
  'an error: %s',
  async (_, options, security, why) => {
    await expect(evaluate(options, security)).rejects.toMatchObject({ stderr: expect.stringMatching(why) });
  },
  60_000,
);
