import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Format, Secret } from '../../../src/plan/fleet.ts';
import { plan } from '../../../src/plan/index.ts';
import { repository } from '../support/machine.ts';
import { PlanFixture } from '../support/plan-fixture.ts';

// The recipes of docs/secrets.md, with the text that is there.

let fixture: PlanFixture;
beforeAll(async () => {
  fixture = await PlanFixture.create('2.26');
}, 120_000);
afterAll(() => fixture?.remove());

const sections = readFileSync(join(repository, 'docs/secrets.md'), 'utf8').split(/^## /m);

/** The blocks of a section, by the file that the first line of each names. */
function blocks(title: string): Record<string, string> {
  const section = sections.find(each => each.startsWith(`${title}\n`)) ?? '';
  const found = [...section.matchAll(/^```nix\n# (\S+)\n(.*?)^```$/gms)];
  return Object.fromEntries(found.map(([, file = '', code = '']) => [file, code]));
}

/** The secrets of the example's host `web`, after a change of one file. */
async function secretsOfWeb(format: Format, file: string, change: (text: string) => string): Promise<Secret[]> {
  const folder = await fixture.example(format);
  const text = readFileSync(join(folder, file), 'utf8');
  const changed = change(text);
  expect(changed).not.toBe(text);
  writeFileSync(join(folder, file), changed);
  await fixture.commit(folder);
  const fleet = await plan(fixture.config(folder, { hosts: ['web'] }), fixture.nix, fixture.context);
  expect(fleet.failures).toEqual([]);
  return (fleet.hosts[0]?.secrets ?? []).map(secret => ({ ...secret, source: inFolder(secret.source, folder) }));
}

/** A source that is the same in any folder. */
function inFolder(source: Secret['source'], folder: string): Secret['source'] {
  if ('file' in source) return { file: relative(folder, source.file) };
  if ('command' in source) return { command: source.command };
  return source;
}

const inFlake = (code: string): Promise<Secret[]> =>
  secretsOfWeb('flake', 'flake.nix', text => text.replace(/^ {4}ferry = \{/m, found => `${code}\n${found}`));

const named = (secrets: readonly Secret[], name: string): Secret | undefined =>
  secrets.find(each => each.name === name);

describe('a recipe for a flake declares what its format does', () => {
  test.each<[string, Format, string, Partial<Secret>]>([
    [
      'From morph',
      'morph',
      'network.nix',
      { permissions: '0440', action: ['systemctl', 'restart', 'postgresql.service'] },
    ],
    ['From colmena', 'colmena', 'hive.nix', { source: { command: ['pass', 'web/db-password'] }, permissions: '0600' }],
    ['From NixOps', 'nixops', 'network.nix', { source: { file: 'secrets/db-password' }, permissions: '0400' }],
  ])(
    '%s',
    async (title, format, file, expected) => {
      const { [file]: before = '', 'flake.nix': after = '' } = blocks(title);
      const into = (text: string): string => text.replace(/\.\/hosts\/web\.nix \];\n/, found => `${found}${before}`);
      const [old, moved] = [await secretsOfWeb(format, file, into), await inFlake(after)];
      expect(named(old, 'db-password')).toMatchObject({
        destination: '/var/lib/keys/db-password',
        user: 'postgres',
        ...expected,
      });
      expect(named(moved, 'db-password')).toEqual(named(old, 'db-password'));
    },
    120_000,
  );
});

describe('sops-nix and agenix', () => {
  test('the key of a target is a secret', async () => {
    const secrets = await inFlake(blocks('sops-nix and agenix')['flake.nix'] ?? '');
    expect(named(secrets, 'age-key')).toMatchObject({ source: { env: 'AGE_KEY_WEB' }, uploadAt: 'pre-activation' });
  }, 60_000);

  // Not their modules, which tests cannot download: these have the same options, and a file of the store as theirs do.
  test.each(['sops', 'age'])(
    'what a host declares in %s.secrets is not sent',
    async option => {
      const folder = await fixture.example('flake');
      const module = `{ lib, config, ... }: {
      options.${option}.secrets = lib.mkOption { default = { }; };
      config.${option}.secrets.db.file = ./db.age;
      config.environment.etc."encrypted/db".source = config.${option}.secrets.db.file;
    }`;
      writeFileSync(join(folder, 'hosts/secrets.nix'), module);
      writeFileSync(join(folder, 'hosts/db.age'), 'age-encryption.org/v1\n');
      const flake = readFileSync(join(folder, 'flake.nix'), 'utf8');
      const changed = flake.replace('modules = [ host ]', 'modules = [ host ./hosts/secrets.nix ]');
      expect(changed).not.toBe(flake);
      writeFileSync(join(folder, 'flake.nix'), changed);
      await fixture.commit(folder);
      const fleet = await plan(fixture.config(folder, { hosts: ['web', 'db'] }), fixture.nix, fixture.context);
      expect(fleet.failures).toEqual([]);
      expect(fleet.hosts.map(({ name, secrets }) => [name, secrets.map(secret => secret.name)])).toEqual([
        ['db', []],
        ['web', ['tls-key']],
      ]);
    },
    60_000,
  );
});
