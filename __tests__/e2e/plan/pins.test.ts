import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import { Nix } from '../../../src/nix/index.ts';
import type { Fleet, Format } from '../../../src/plan/fleet.ts';
import { type PlanConfig, plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { fleetOf, lockOf, pinOf, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  /** The miniature as a tarball that can be downloaded. */
  let tarball: string;

  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
    tarball = join(fixture.scratch, 'nixpkgs.tar.gz');
    await exec('tar', ['-C', fixture.scratch, '-czf', tarball, 'source']);
  }, 120_000);
  afterAll(() => fixture.remove());

  const planned = async (
    files: Record<string, string>,
    rest: Partial<PlanConfig> = {},
    nix: Nix = fixture.nix,
  ): Promise<Fleet> => plan(fixture.config(await fixture.repository(files), rest), nix, fixture.context);

  /** A nixos.nix that imports nixpkgs in its third line. */
  const expression = (nixpkgs: string): Record<string, string> => ({
    'nixos.nix': `{
  web = import (
    ${nixpkgs}
    + "/nixos") { configuration = ./web.nix; system = "x86_64-linux"; };
}`,
    'web.nix': sound('networking.hostName = "web";'),
  });

  describe('is refused, with the place and the cure', () => {
    const withHash = expect.stringContaining('sha256');
    const ways: [string, string, string, unknown][] = [
      ['<nixpkgs>', '<nixpkgs>', '<nixpkgs>', expect.stringContaining('Pin nixpkgs in the repository')],
      ['<nixpkgs/nixos>', 'toString <nixpkgs/nixos> + "/.."', '<nixpkgs/nixos>', expect.any(String)],
      ['a channel', 'fetchTarball "channel:nixos-25.05"', 'fetchTarball without a hash', withHash],
      [
        'a channel by address',
        'fetchTarball "https://nixos.org/channels/nixos-25.05/nixexprs.tar.xz"',
        'fetchTarball without a hash',
        withHash,
      ],
      ['a tarball without hash', 'fetchTarball "file://TARBALL"', 'fetchTarball without a hash', withHash],
      [
        'a set without hash',
        'builtins.fetchTarball { url = "file://TARBALL"; name = "source"; }',
        'fetchTarball without a hash',
        withHash,
      ],
      [
        'a commit without hash',
        `fetchTarball "https://github.com/NixOS/nixpkgs/archive/${commit}.tar.gz"`,
        'fetchTarball without a hash',
        withHash,
      ],
      [
        'a branch of Git',
        'builtins.fetchGit { url = "file:///nowhere"; ref = "nixos-25.05"; }',
        'fetchGit without a revision',
        expect.stringContaining('rev'),
      ],
      [
        'a flake without lock',
        '(builtins.getFlake "github:NixOS/nixpkgs/nixos-25.05").outPath',
        'getFlake without a revision',
        expect.stringContaining('narHash'),
      ],
    ];
    test.each(ways)('%s', async (_, nixpkgs, what, cure) => {
      await expect(planned(expression(nixpkgs.replace('TARBALL', tarball)))).rejects.toMatchObject({
        name: 'UserError',
        message: expect.stringContaining(`Not pinned: ${what}.`),
        where: { file: 'nixos.nix', line: 3 },
        cure,
      });
    });

    test('NIX_PATH and nix.conf have no effect', async () => {
      const { bin } = fixture.nix.installation;
      const env = { NIX_CONFIG: `build-users-group =\nnix-path = nixpkgs=${fixture.miniature.path}` };
      const nix = new Nix({ exec, environment: process.env }, { bin, version: fixture.nix.installation.version, env });
      const before = process.env.NIX_PATH;
      process.env.NIX_PATH = `nixpkgs=${fixture.miniature.path}`;
      try {
        await expect(planned(expression('<nixpkgs>'), {}, nix)).rejects.toMatchObject({
          message: 'Not pinned: <nixpkgs>.',
        });
      } finally {
        if (before === undefined) delete process.env.NIX_PATH;
        else process.env.NIX_PATH = before;
      }
    });

    test.each<[Format, string, Record<string, string>]>([
      ['morph', 'network.nix', { 'network.nix': '{ network.ordering = { }; web = ./web.nix; }' }],
      ['nixops', 'network.nix', { 'network.nix': '{ network.enableRollback = true; web = ./web.nix; }' }],
      ['colmena', 'hive.nix', { 'hive.nix': '{ meta.name = "x"; web = ./web.nix; }' }],
      ['configuration', 'configuration.nix', { 'configuration.nix': '{ imports = [ ./web.nix ]; }' }],
    ])('%s without a nixpkgs', async (_, file, files) => {
      await expect(planned({ ...files, 'web.nix': sound() })).rejects.toMatchObject({
        name: 'UserError',
        message: expect.stringContaining('Not pinned: '),
        where: { file },
        cure: expect.stringMatching(/npins/),
      });
    });

    test('an input that flake.lock does not lock', async () => {
      const { files } = fleetOf('flake', { web: sound() }, fixture);
      const { 'flake.lock': lock, ...without } = files;
      const more = {
        ...files,
        'flake.nix': (files['flake.nix'] ?? '').replace('{\n', '{\ninputs.other.url = "github:a/b";\n'),
      };
      for (const unlocked of [without, more]) {
        await expect(planned(unlocked)).rejects.toMatchObject({
          name: 'UserError',
          message: expect.stringMatching(
            /^Not pinned: (?:the flake input (?:nixpkgs|other), which is not locked|a flake input that flake.lock does not lock)\.$/,
          ),
          where: { file: 'flake.nix' },
          cure: expect.stringContaining('nix flake lock'),
        });
        const folder = await fixture.repository(unlocked);
        await writeFile(join(folder, 'flake.nix'), `${unlocked['flake.nix']}\n`);
        await expect(plan(fixture.config(folder), fixture.nix, fixture.context)).rejects.toMatchObject({
          message: expect.stringContaining('Not pinned: '),
          cure: expect.stringContaining('nix flake lock'),
        });
      }
      expect(lock).toBeDefined();
    });

    test('a fetch without hash in a module of a flake', async () => {
      const module = sound(`networking.hostName = builtins.readFile (fetchTarball "file://${tarball}" + "/x");`);
      const { files, moduleOf } = fleetOf('flake', { web: module }, fixture);
      await expect(planned(files)).rejects.toMatchObject({
        message: expect.stringContaining('Not pinned: fetchTarball without a hash.'),
        where: { file: moduleOf('web'), line: 4 },
      });
    });
  });

  test.each([
    ['<nixpkgs>', '<nixpkgs>'],
    ['a tarball without hash', 'fetchTarball "file://TARBALL"'],
  ])('%s is a warning if nixpkgs-pin is warn', async (_, nixpkgs) => {
    fixture.logged.length = 0;
    const fleet = await planned(expression(nixpkgs.replace('TARBALL', tarball)), {
      nixpkgsPin: 'warn',
      nixPath: `nixpkgs=${fixture.miniature.path}`,
      allowedPaths: [tarball],
    });
    expect(fleet.hosts.map(({ name, nixpkgs }) => [name, nixpkgs])).toEqual([['web', null]]);
    expect(fixture.logged).toContainEqual(expect.stringMatching(/^Not pinned: /));
  });

  test.each(['the input nixpkgs', 'a pin next to it'])('<nixpkgs> is no warning if it is pinned by %s', async by => {
    const nixpkgs = `path:${fixture.miniature.path}?narHash=${encodeURIComponent(fixture.miniature.sri)}`;
    const module =
      '{ imports = [ <nixpkgs/nixos/modules/profiles/minimal.nix> ]; nixpkgs.hostPlatform = "x86_64-linux"; }';
    const pinned = by === 'the input nixpkgs' ? { nixpkgs } : {};
    const files = by === 'the input nixpkgs' ? {} : { 'nixpkgs.nix': pinOf(fixture) };
    fixture.logged.length = 0;
    const run = { format: 'configuration', nixpkgsPin: 'warn', ...pinned } as const;
    const { hosts, failures } = await planned({ ...files, 'configuration.nix': module }, run);
    expect([failures, hosts.length]).toEqual([[], 1]);
    expect(fixture.logged.filter(line => line.startsWith('Not pinned'))).toEqual([]);
  });

  test('an input without a lock is a warning if nixpkgs-pin is warn', async () => {
    const { files } = fleetOf('flake', { web: sound('networking.hostName = "web";') }, fixture);
    const flake = (files['flake.nix'] ?? '').replace(
      'github:NixOS/nixpkgs/nixos-25.05',
      `path:${fixture.miniature.path}`,
    );
    const { 'flake.lock': _, ...without }: Record<string, string> = { ...files, 'flake.nix': flake };
    fixture.logged.length = 0;
    if (version === '2.8') {
      // Its getFlake has no way to lock without writing the lock.
      await expect(planned(without, { nixpkgsPin: 'warn' })).rejects.toThrow(/lock file/);
      return;
    }
    const fleet = await planned(without, { nixpkgsPin: 'warn' });
    expect(fleet.hosts.map(({ name }) => name)).toEqual(['web']);
    expect(fixture.logged).toContainEqual(expect.stringMatching(/^Not pinned: the nixpkgs at /));
  });

  describe('is found', () => {
    const configuration = { 'configuration.nix': sound('networking.hostName = "web";') };
    const hash = (): string => fixture.miniature.base32;
    const archive = `https://github.com/NixOS/nixpkgs/archive/${commit}.tar.gz`;
    const sources = (key: string, value: string): string =>
      JSON.stringify({ pins: { nixpkgs: { url: archive, revision: commit, [key]: value } } });

    test.each<[string, () => Record<string, string>, string]>([
      [
        'npins',
        () => ({
          'npins/default.nix':
            'builtins.mapAttrs (_: pin: { outPath = builtins.fetchTarball { inherit (pin) url; sha256 = pin.hash; }; }) (builtins.fromJSON (builtins.readFile ./sources.json)).pins',
          'npins/sources.json': sources('hash', hash()),
        }),
        'npins/sources.json',
      ],
      [
        'niv',
        () => ({
          'nix/sources.nix':
            'builtins.mapAttrs (_: pin: { outPath = builtins.fetchTarball { inherit (pin) url sha256; }; }) (builtins.fromJSON (builtins.readFile ./sources.json)).pins',
          'nix/sources.json': sources('sha256', hash()),
        }),
        'nix/sources.json',
      ],
      ['flake.lock', () => ({ 'flake.lock': lockOf(fixture) }), 'flake.lock'],
      [
        'fetchTarball',
        () => ({ 'nixpkgs.nix': `fetchTarball {\n  url = "${archive}";\n  sha256 = "${hash()}";\n}` }),
        'nixpkgs.nix:3',
      ],
    ])('next to a configuration: %s', async (_, pin, by) => {
      const { hosts, failures } = await planned({ ...configuration, ...pin() }, { format: 'configuration' });
      expect(failures).toEqual([]);
      expect(hosts).toMatchObject([{ name: 'web', nixpkgs: { narHash: fixture.miniature.sri, by } }]);
      if (by !== 'flake.lock') expect(hosts[0]?.nixpkgs?.revision).toBe(commit);
    });

    test('in the repository itself, as its commit', async () => {
      const files = {
        'nixos.nix': 'import ./nixpkgs/nixos { configuration = ./web.nix; system = "x86_64-linux"; }',
        'web.nix': sound('networking.hostName = "web";'),
      };
      const folder = await fixture.repository(files);
      await exec('cp', ['-R', join(fixture.scratch, 'source'), join(folder, 'nixpkgs')]);
      await fixture.commit(folder);
      const fleet = await plan(fixture.config(folder), fixture.nix, fixture.context);
      expect(fleet.hosts).toMatchObject([
        { name: 'web', nixpkgs: { revision: fleet.commit, narHash: null, by: 'nixpkgs in the repository' } },
      ]);
    });

    test('in the input nixpkgs; <nixpkgs> is then that one', async () => {
      const nixpkgs = `path:${fixture.miniature.path}?narHash=${encodeURIComponent(fixture.miniature.sri)}`;
      await expect(
        planned({ ...configuration }, { nixpkgs: 'github:NixOS/nixpkgs/nixos-25.05' }),
      ).rejects.toMatchObject({
        message: expect.stringContaining('has no hash'),
        where: { input: 'nixpkgs' },
      });
      for (const files of [configuration, expression('<nixpkgs>')]) {
        const { hosts } = await planned(files, { nixpkgs });
        expect(hosts).toMatchObject([
          { name: 'web', nixpkgs: { narHash: fixture.miniature.sri, by: 'the input nixpkgs' } },
        ]);
      }
    });

    test('two next to a configuration are an error that names both', async () => {
      await expect(
        planned({ ...configuration, 'flake.lock': lockOf(fixture), 'nixpkgs.nix': '<x>' }, { format: 'configuration' }),
      ).rejects.toMatchObject({
        message: 'Both flake.lock and nixpkgs.nix pin a nixpkgs.',
        where: { input: 'nixpkgs' },
      });
    });
  });

  test('configuration and overlays of the home directory have no effect', async () => {
    const home = join(fixture.scratch, 'home');
    await mkdir(join(home, '.config/nixpkgs/overlays'), { recursive: true });
    await writeFile(join(home, '.config/nixpkgs/config.nix'), 'throw "seen"');
    const { HOME, NIXPKGS_CONFIG } = process.env;
    Object.assign(process.env, { HOME: home, NIXPKGS_CONFIG: join(home, '.config/nixpkgs/config.nix') });
    try {
      const probe =
        'if builtins.getEnv "NIXPKGS_CONFIG" == "" && ! builtins.pathExists (builtins.getEnv "HOME" + "/.config/nixpkgs/config.nix") then fetchTarball { url = "https://example.invalid/x"; sha256 = "HASH"; } else throw "seen"';
      const { hosts } = await planned(expression(`(${probe.replace('HASH', fixture.miniature.base32)})`));
      expect(hosts.map(({ name }) => name)).toEqual(['web']);
    } finally {
      Object.assign(process.env, { HOME });
      if (NIXPKGS_CONFIG === undefined) delete process.env.NIXPKGS_CONFIG;
    }
  });
});
