import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CachePort } from '../../../src/context.ts';
import { exec } from '../../../src/exec.ts';
import type { Fleet, Format } from '../../../src/plan/fleet.ts';
import type { PlanConfig } from '../../../src/plan/index.ts';
import { SecretText } from '../../../src/plan/secret-text.ts';
import { PlanFixture, type WatchedPlans } from '../support/plan-fixture.ts';
import { named, namedFleet, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('the plan cache, with Nix %s', version => {
  let fixture: PlanFixture;
  let evaluations: string[][];
  let run: WatchedPlans['run'];

  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
    ({ run, evaluations } = fixture.watched());
  }, 120_000);
  afterAll(() => fixture.remove());

  const four = ['h0', 'h1', 'h2', 'h3'];
  const fleet = (format: Format, hosts = four): Record<string, string> => namedFleet(format, hosts, fixture);

  const formats: Format[] = ['flake', 'morph', 'configuration'];
  test.each(formats)(
    '%s: only what has changed is evaluated',
    async format => {
      const folder = await fixture.repository(fleet(format));
      const planCache = fixture.newPath('cache');
      const first = await run(folder, { planCache, hosts: ['h1', 'h2'] });
      expect(evaluations).not.toEqual([]);
      expect(await run(folder, { planCache, hosts: ['h2', 'h1'] })).toEqual(first);
      expect(evaluations).toEqual([]);

      // Another host of the same tree: only that one.
      const more = await run(folder, { planCache, hosts: ['h1', 'h3'] });
      expect(more.hosts.map(({ name }) => name)).toEqual(['h1', 'h3']);
      expect(JSON.stringify(evaluations)).not.toContain('\\"hosts\\":[\\"h1\\"');
      await run(folder, { planCache, hosts: ['h1', 'h2', 'h3'] });
      expect(evaluations).toEqual([]);

      // The input overrides what is cached.
      const [moved] = (await run(folder, { planCache, hosts: ['h1'], targets: { h1: 'root@elsewhere' } })).hosts;
      expect(evaluations).toEqual([]);
      expect(moved?.target?.address).toBe('elsewhere');

      // A commit of other files, a tree with changes, a derivation that was deleted.
      await appendFile(
        join(folder, format === 'configuration' ? 'hosts/h1/configuration.nix' : 'hosts/1.nix'),
        '\n# x\n',
      );
      await run(folder, { planCache, hosts: ['h1'] });
      expect(evaluations).not.toEqual([]);
      await fixture.commit(folder);
      await run(folder, { planCache, hosts: ['h1'] });
      expect(evaluations).not.toEqual([]);
      const [h1] = (await run(folder, { planCache, hosts: ['h1'] })).hosts;
      expect(evaluations).toEqual([]);
      await fixture.nix.run('nix-store', ['--delete', '--ignore-liveness', h1?.toplevel.drvPath ?? '']);
      const [again] = (await run(folder, { planCache, hosts: ['h1'] })).hosts;
      expect(evaluations).not.toEqual([]);
      expect(again).toEqual(h1);
    },
    60_000,
  );

  test('does not contain the text of a secret, nor what depends on untracked files', async () => {
    const module = `{ imports = [ ./web.nix ]; deployment.keys.k.text = "hush hush"; }`;
    const pin = fleet('colmena')['nixpkgs.nix'] ?? '';
    const hive = `{ meta.nixpkgs = import (import ./nixpkgs.nix) { system = "x86_64-linux"; }; open = ./web.nix; shut = ${module}; }`;
    const folder = await fixture.repository({ 'hive.nix': hive, 'nixpkgs.nix': pin, 'web.nix': named('web') });
    const planCache = fixture.newPath('cache');
    fixture.logged.length = 0;
    const { hosts } = await run(folder, { planCache });
    const [secret] = hosts.flatMap(({ secrets }) => secrets);
    expect(secret).toMatchObject({ name: 'k', source: { text: expect.any(SecretText) } });
    expect(JSON.stringify(hosts)).not.toContain('hush');
    expect(fixture.logged).toContain('hush hush');
    expect((await exec('grep', ['-rc', 'hush', planCache], { allow: [0, 1] })).stdout).toMatch(/:0\n$/);
    await run(folder, { planCache, hosts: ['open'] });
    expect(evaluations).toEqual([]);
    await run(folder, { planCache, hosts: ['shut'] });
    expect(evaluations).not.toEqual([]);

    const other = await fixture.repository({
      ...fleet('morph', ['a']),
      '.gitignore': 'local.nix\n',
      'hosts/0.nix': '{ imports = [ ../local.nix ]; }',
    });
    await writeFile(join(other, 'local.nix'), named('a'));
    const unkept = fixture.newPath('unkept');
    for (let i = 0; i < 2; i++) {
      expect((await run(other, { planCache: unkept })).hosts).toHaveLength(1);
      expect(evaluations).not.toEqual([]);
    }
  });

  test('is not used if a file outside of the folder has changed that the source reads', async () => {
    const files = fleet('morph', ['a', 'b']);
    const inner = Object.fromEntries(Object.entries(files).map(([file, text]) => [`inner/${file}`, text]));
    const folder = await fixture.repository({
      ...inner,
      'inner/hosts/0.nix': '{ imports = [ ../../shared.nix ]; }',
      'shared.nix': named('a'),
    });
    const planCache = fixture.newPath('cache');
    const source = join(folder, 'inner');
    const before = await run(source, { planCache });
    await run(source, { planCache });
    expect(evaluations).toEqual([]);
    await writeFile(join(folder, 'shared.nix'), sound('networking.hostName = "changed";'));
    await fixture.commit(folder);
    const after = await run(source, { planCache });
    expect(after.hosts[0]?.toplevel).not.toEqual(before.hosts[0]?.toplevel);
    expect(after.hosts[1]?.toplevel).toEqual(before.hosts[1]?.toplevel);
  });

  test('is not used for another commit if the flake reads its commit', async () => {
    const flake = (fleet('flake', ['web'])['flake.nix'] ?? '')
      .replace('outputs = { nixpkgs, ... }', 'outputs = { self, nixpkgs, ... }')
      .replace('modules = [', 'modules = [ { environment.etc.commit.text = self.rev; }');
    const folder = await fixture.repository({ ...fleet('flake', ['web']), 'flake.nix': flake });
    const planCache = fixture.newPath('cache');
    const [before] = (await run(folder, { planCache })).hosts;
    await fixture.commit(folder);
    await exec('git', [
      '-C',
      folder,
      '-c',
      'user.name=t',
      '-c',
      'user.email=t@t',
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      'again',
    ]);
    const [after] = (await run(folder, { planCache })).hosts;
    expect(after?.toplevel).not.toEqual(before?.toplevel);
  });

  test('keeps what asks for a variable of the environment, which is empty in every evaluation', async () => {
    const asking = sound('networking.hostName = "h" + builtins.getEnv "FERRY_TEST_NAME";');
    const folder = await fixture.repository({ ...fleet('morph', ['h']), 'hosts/0.nix': asking });
    const planCache = fixture.newPath('cache');
    const first = await run(folder, { planCache });
    expect(evaluations).not.toEqual([]);
    process.env.FERRY_TEST_NAME = 'other';
    try {
      expect(await run(folder, { planCache })).toEqual(first);
      expect(evaluations).toEqual([]);
      // Without the kept plan it is the same.
      expect(await run(folder)).toEqual(first);
    } finally {
      delete process.env.FERRY_TEST_NAME;
    }
  });

  test.each<[string, Record<string, string>]>([
    ['a file of the machine', { 'hosts/0.nix': '{ imports = [ MACHINE ]; }' }],
    [
      'an untracked file, as data',
      { '.gitignore': 'local.json', 'hosts/0.nix': sound('networking.hostName = builtins.readFile ../local.json;') },
    ],
  ])('does not keep what depends on %s', async (_, more) => {
    const machine = join(fixture.scratch, 'machine.nix');
    await writeFile(machine, named('h0'));
    const module = more['hosts/0.nix']?.replace('MACHINE', machine) ?? '';
    const folder = await fixture.repository({ ...fleet('morph', ['h0']), ...more, 'hosts/0.nix': module });
    await writeFile(join(folder, 'local.json'), 'h0');
    const allowedPaths = module.includes(machine) ? [machine] : [];
    const planCache = fixture.newPath('cache');
    for (let i = 0; i < 2; i++) {
      expect((await run(folder, { planCache, allowedPaths })).failures).toEqual([]);
      expect(evaluations).not.toEqual([]);
    }
  });

  test.each<[string, string, (root: string) => Promise<unknown>, boolean]>([
    ['nothing outside of it', 'networking.hostName = "a";', async () => undefined, true],
    ['data above it', 'networking.hostName = builtins.readFile ../../name;', async () => undefined, false],
    [
      'a link out of it',
      'networking.hostName = builtins.readFile ../name;',
      root => symlink('../name', join(root, 'inner/name')),
      false,
    ],
  ])('a folder that reads %s, after a commit outside of it', async (_, line, prepare, free) => {
    const files = Object.entries(fleet('morph', ['a'])).map(([file, text]) => [`inner/${file}`, text]);
    const root = await fixture.repository({
      ...Object.fromEntries(files),
      'inner/hosts/0.nix': sound(line),
      name: 'before',
    });
    await prepare(root);
    await fixture.commit(root);
    const planCache = fixture.newPath('cache');
    const [before] = (await run(join(root, 'inner'), { planCache })).hosts;
    await writeFile(join(root, 'name'), 'after');
    await fixture.commit(root);
    const [after] = (await run(join(root, 'inner'), { planCache })).hosts;
    expect([evaluations.length === 0, before?.toplevel.drvPath === after?.toplevel.drvPath]).toEqual([free, free]);
  });

  test('is not used if it is damaged', async () => {
    const folder = await fixture.repository(fleet('morph', ['h0']));
    const planCache = fixture.newPath('cache');
    const first = await run(folder, { planCache });
    for (const text of ['', '{}', '[]', '{"format":"morph"}', 'null']) {
      for (const name of await readdir(planCache)) await writeFile(join(planCache, name), text);
      expect(await run(folder, { planCache })).toEqual(first);
      expect(evaluations).not.toEqual([]);
    }
  });

  describe('in the Actions cache', () => {
    const secret = 'fleet-1:c2VjcmV0';
    /** The service as folders, one per entry. */
    const portOf = (service: string, trusted = true): CachePort => {
      const directory = join(fixture.scratch, 'plan-cache');
      return {
        directory,
        trusted,
        async restore(key, prefixes) {
          const entries = await readdir(service).catch(() => []);
          const found = entries.sort().find(entry => [key, ...prefixes].some(prefix => entry.startsWith(prefix)));
          if (found !== undefined) await cp(join(service, found), directory, { recursive: true });
          return found ?? null;
        },
        async save(key) {
          await mkdir(service, { recursive: true });
          if (existsSync(join(service, key))) return false;
          await cp(directory, join(service, key), { recursive: true });
          return true;
        },
      };
    };
    const saving: Promise<void>[] = [];
    const sharedOn = (port: CachePort, key = secret) => ({
      planCache: { port, secret: key, runInBackground: (work: Promise<void>) => void saving.push(work) },
    });
    /** Runs on a machine without the fleet's derivations. */
    const freshly = async (folder: string, rest: Partial<PlanConfig>, before?: Fleet): Promise<Fleet> => {
      const drvPaths = before?.hosts.map(({ toplevel }) => toplevel.drvPath) ?? [];
      if (drvPaths.length > 0) await fixture.nix.run('nix-store', ['--delete', '--ignore-liveness', ...drvPaths]);
      fixture.logged.length = 0;
      const fleet = await run(folder, rest);
      await Promise.all(saving);
      return fleet;
    };
    const warnings = (): string[] => fixture.logged.filter(line => /cached plan|not cached/.test(line));

    test.each<Format>(['flake', 'nixops'])(
      '%s: a new machine evaluates nothing, and gets the derivations to build',
      async format => {
        const folder = await fixture.repository(fleet(format));
        const service = fixture.newPath('service');
        const shared = sharedOn(portOf(service));
        const first = await freshly(folder, { ...shared, hosts: ['h0', 'h1'] });
        expect([evaluations.length > 0, warnings()]).toEqual([true, []]);
        expect(await freshly(folder, { ...shared, hosts: ['h0', 'h1'] }, first)).toEqual(first);
        expect([evaluations, warnings()]).toEqual([[], []]);
        const drvPaths = first.hosts.map(({ toplevel }) => toplevel.drvPath);
        const { stdout } = await fixture.nix.run('nix-store', ['--query', '--requisites', ...drvPaths]);
        expect(stdout.split('\n').length).toBeGreaterThan(10);
        expect(fixture.logged).toContainEqual(
          expect.stringMatching(/^Restored the plan of 2 hosts from the cache, nix-ferry-plan-/),
        );
        // One more host: another entry, which contains all three.
        const more = await freshly(folder, { ...shared, hosts: ['h1', 'h2'] }, first);
        expect(JSON.stringify(evaluations)).not.toContain('\\"hosts\\":[\\"h1');
        expect(more.hosts.map(({ name }) => name)).toEqual(['h1', 'h2']);
        expect(await readdir(service)).toHaveLength(2);
      },
    );

    test('an untrusted run saves nothing, but uses existing entries', async () => {
      const folder = await fixture.repository(fleet('morph', ['h0']));
      const service = fixture.newPath('service');
      const untrusted = sharedOn(portOf(service, false));
      const first = await freshly(folder, untrusted);
      expect(await readdir(service).catch(() => 'none')).toBe('none');
      await freshly(folder, sharedOn(portOf(service)), first);
      await freshly(folder, untrusted, first);
      expect([evaluations, await readdir(service)]).toEqual([[], [expect.any(String)]]);
    });

    test.each<[string, (entry: Record<string, string>, other: Record<string, string>) => Record<string, string>]>([
      [
        'contains another derivation',
        ({ text = '', ...entry }) => ({
          ...entry,
          text: text.replace(/"drvPath":"[^"]*"/, '"drvPath":"/nix/store/00000000000000000000000000000000-x.drv"'),
        }),
      ],
      [
        'contains another target',
        ({ text = '', ...entry }) => ({ ...entry, text: text.replaceAll('host.example.org', 'evil.example.org') }),
      ],
      ['is that of another source', (_, other) => other],
      ['is that of another source, renamed', ({ name = '' }, other) => ({ ...other, name })],
      ['has no MAC', ({ name = '', text = '' }) => ({ name, text })],
      ['is empty', () => ({})],
    ])('an entry that %s is not used, with a warning', async (_, change) => {
      const folder = await fixture.repository(fleet('morph', ['h0']));
      const elsewhere = await fixture.repository({ ...fleet('morph', ['h0']), 'hosts/0.nix': named('elsewhere') });
      const [service, others] = [fixture.newPath('service'), fixture.newPath('others')];
      const shared = sharedOn(portOf(service));
      const first = await freshly(folder, shared);
      await freshly(elsewhere, sharedOn(portOf(others)));
      const planOf = async (place: string) => join(place, (await readdir(place))[0] ?? '', 'plan.json');
      const read = async (place: string) => JSON.parse(await readFile(await planOf(place), 'utf8'));
      await writeFile(await planOf(service), JSON.stringify(change(await read(service), await read(others))));
      expect(await freshly(folder, shared, first)).toEqual(first);
      expect(evaluations).not.toEqual([]);
      expect(warnings()).toContainEqual(expect.stringMatching(/^The cached plan is not used: /));
    });

    test('everything is evaluated after an entry without derivations, one with another secret, and a service that fails', async () => {
      const folder = await fixture.repository(fleet('morph', ['h0']));
      const service = fixture.newPath('service');
      const port = portOf(service);
      const first = await freshly(folder, sharedOn(port));
      await freshly(folder, sharedOn(port, 'fleet-2:b3RoZXI='), first);
      expect([evaluations.length > 0, warnings()]).toEqual([true, []]);
      for (const entry of await readdir(service)) await rm(join(service, entry, 'derivations'), { recursive: true });
      await freshly(folder, sharedOn(port), first);
      expect(evaluations).not.toEqual([]);
      const broken = {
        ...port,
        restore: () => Promise.reject(new Error('no service')),
        save: () => Promise.reject(new Error('no service')),
      };
      expect(await freshly(folder, sharedOn(broken), first)).toEqual(first);
      expect(warnings()).toEqual(['The cached plan is not used: no service', 'The plan is not cached: no service']);
    });
  });
});
