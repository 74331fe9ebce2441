import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Exec } from '../../src/exec.ts';
import { exec } from '../../src/exec.ts';
import { Nix } from '../../src/nix/index.ts';
import type { Fleet, Format } from '../../src/plan/fleet.ts';
import { type PlanConfig, plan } from '../../src/plan/index.ts';
import { PlanBench } from './plan-bench.ts';
import { fleetOf, sound } from './plan-sources.ts';
import type { NixVersion } from './testbed/runner.ts';

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let bench: PlanBench;
  /** Programs of Nix that evaluate, as they were called. */
  const evaluations: string[][] = [];
  let nix: Nix;
  let counter = 0;

  beforeAll(async () => {
    bench = await PlanBench.create(version);
    const watched: Exec = (command, args, options) => {
      if (/\/nix-instantiate$/.test(command) || args[0] === 'eval') evaluations.push([command, ...args]);
      return exec(command, args, options);
    };
    nix = new Nix(watched, bench.nix.installation);
  }, 120_000);
  afterAll(() => bench.remove());

  const run = async (folder: string, rest: Partial<PlanConfig> = {}): Promise<Fleet> => {
    evaluations.length = 0;
    return plan(bench.config(folder, rest), nix, bench.context);
  };
  const folderOf = (files: Record<string, string>): Promise<string> => bench.repository(`runs-${counter++}`, files);
  const named = (host: string): string => sound(`networking.hostName = "${host}";`);
  const nine = Array.from({ length: 9 }, (_, i) => `h${i}`);
  const fleet = (format: Format, hosts = nine): Record<string, string> =>
    fleetOf(format, Object.fromEntries(hosts.map(host => [host, named(host)])), bench).files;

  test('the answer is the same whatever the split, and the order too', async () => {
    const folder = await folderOf({ ...fleet('morph'), 'hosts/4.nix': '{ ... }: throw "broken host"' });
    const one = await run(folder, { jobs: 1 });
    expect(one.hosts.map(({ name }) => name)).toEqual(nine.filter(name => name !== 'h4'));
    expect(one.failures.map(({ host }) => host)).toEqual(['h4']);
    const alone = evaluations.length;
    for (const jobs of [2, 3, 4]) {
      const { failures, ...split } = await run(folder, { jobs });
      expect(evaluations.length).toBeGreaterThan(alone);
      expect(split).toEqual({ ...one, failures: undefined });
      expect(failures.map(({ host, message }) => [host, message])).toEqual([['h4', 'Broken host.']]);
    }
  });

  test('a heap too small for all is enough for each', async () => {
    const folder = await folderOf(fleet('morph'));
    const whole = await run(folder);
    expect(await run(folder, { memory: 40_000_000, jobs: 2 })).toEqual(whole);
    // 100 million integers, which must be there at once.
    const numbers = 'builtins.sort builtins.lessThan (builtins.genList (i: 0 - i) 100000000)';
    const huge = sound(`networking.hostName = toString (builtins.length (${numbers}));`);
    const greedy = await folderOf({ ...fleet('morph'), 'hosts/1.nix': huge });
    const { hosts, failures } = await run(greedy, { memory: 300_000_000 });
    expect(hosts).toHaveLength(8);
    expect(failures).toMatchObject([
      { host: 'h1', message: expect.stringMatching(/^The evaluator ran out of memory/) },
    ]);
  }, 60_000);

  describe('a plan that is kept', () => {
    const formats: Format[] = ['flake', 'morph', 'configuration'];
    test.each(formats)(
      '%s: nothing changed, nothing is evaluated; what changed is',
      async format => {
        const folder = await folderOf(fleet(format));
        const planCache = join(bench.scratch, `cache-${counter}`);
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

        // What the input says stands above what is kept.
        const [moved] = (await run(folder, { planCache, hosts: ['h1'], targets: { h1: 'root@elsewhere' } })).hosts;
        expect(evaluations).toEqual([]);
        expect(moved?.target?.address).toBe('elsewhere');

        // A commit of other files, a tree with changes, a derivation that is gone.
        await appendFile(
          join(folder, format === 'configuration' ? 'hosts/h1/configuration.nix' : 'hosts/1.nix'),
          '\n# x\n',
        );
        await run(folder, { planCache, hosts: ['h1'] });
        expect(evaluations).not.toEqual([]);
        await bench.commit(folder);
        await run(folder, { planCache, hosts: ['h1'] });
        expect(evaluations).not.toEqual([]);
        const [h1] = (await run(folder, { planCache, hosts: ['h1'] })).hosts;
        expect(evaluations).toEqual([]);
        await bench.nix.run('nix-store', ['--delete', '--ignore-liveness', h1?.toplevel.drvPath ?? '']);
        const [again] = (await run(folder, { planCache, hosts: ['h1'] })).hosts;
        expect(evaluations).not.toEqual([]);
        expect(again).toEqual(h1);
      },
      60_000,
    );

    test('does not keep the text of a secret, nor what Git does not know of', async () => {
      const module = `{ imports = [ ./web.nix ]; deployment.keys.k.text = "hush hush"; }`;
      const pin = fleet('colmena')['nixpkgs.nix'] ?? '';
      const hive = `{ meta.nixpkgs = import (import ./nixpkgs.nix) { system = "x86_64-linux"; }; open = ./web.nix; shut = ${module}; }`;
      const folder = await folderOf({ 'hive.nix': hive, 'nixpkgs.nix': pin, 'web.nix': named('web') });
      const planCache = join(bench.scratch, `cache-${counter}`);
      bench.logged.length = 0;
      const { hosts } = await run(folder, { planCache });
      expect(hosts.flatMap(({ secrets }) => secrets)).toMatchObject([{ name: 'k', source: { text: 'hush hush' } }]);
      expect(bench.logged).toContain('hush hush');
      expect((await exec('grep', ['-rc', 'hush', planCache], { allow: [0, 1] })).stdout).toMatch(/:0\n$/);
      await run(folder, { planCache, hosts: ['open'] });
      expect(evaluations).toEqual([]);
      await run(folder, { planCache, hosts: ['shut'] });
      expect(evaluations).not.toEqual([]);

      const other = await folderOf({
        ...fleet('morph', ['a']),
        '.gitignore': 'local.nix\n',
        'hosts/0.nix': '{ imports = [ ../local.nix ]; }',
      });
      await writeFile(join(other, 'local.nix'), named('a'));
      const unkept = join(bench.scratch, `cache-${counter}-unkept`);
      for (let i = 0; i < 2; i++) {
        expect((await run(other, { planCache: unkept })).hosts).toHaveLength(1);
        expect(evaluations).not.toEqual([]);
      }
    });

    test('of a folder that reads files beside it ends when those change', async () => {
      const files = fleet('morph', ['a', 'b']);
      const inner = Object.fromEntries(Object.entries(files).map(([file, text]) => [`inner/${file}`, text]));
      const folder = await folderOf({
        ...inner,
        'inner/hosts/0.nix': '{ imports = [ ../../beside.nix ]; }',
        'beside.nix': named('a'),
      });
      const planCache = join(bench.scratch, `cache-${counter}`);
      const source = join(folder, 'inner');
      const before = await run(source, { planCache });
      await run(source, { planCache });
      expect(evaluations).toEqual([]);
      await writeFile(join(folder, 'beside.nix'), sound('networking.hostName = "changed";'));
      await bench.commit(folder);
      const after = await run(source, { planCache });
      expect(after.hosts[0]?.toplevel).not.toEqual(before.hosts[0]?.toplevel);
      expect(after.hosts[1]?.toplevel).toEqual(before.hosts[1]?.toplevel);
    });
  });

  describe('a flake', () => {
    test('with changes is planned with them, and it is said', async () => {
      const folder = await folderOf(fleet('flake', ['web']));
      const clean = await run(folder);
      expect([clean.dirty, clean.commit]).toEqual([false, expect.stringMatching(/^[0-9a-f]{40}$/)]);
      await writeFile(join(folder, 'hosts/0.nix'), named('other'));
      bench.logged.length = 0;
      const dirty = await run(folder);
      expect([dirty.dirty, dirty.commit]).toEqual([true, clean.commit]);
      expect(dirty.hosts[0]?.toplevel).not.toEqual(clean.hosts[0]?.toplevel);
      expect(bench.logged).toContainEqual(expect.stringContaining('uncommitted changes'));
    });

    test('in a folder whose name means something to shells and addresses, below the root, in clones without history', async () => {
      const files = Object.fromEntries(
        Object.entries(fleet('flake', ['web'])).map(([file, text]) => [`deep er/in'ner/${file}`, text]),
      );
      const origin = await folderOf(files);
      const plain = (await run(join(origin, "deep er/in'ner"))).hosts;
      await writeFile(join(origin, 'README'), 'more history');
      await bench.commit(origin);
      const odd = join(bench.scratch, `cl$(id) "o"ne é #1 ${counter++}`);
      await exec('git', ['clone', '-q', `file://${origin}`, odd]);
      const shallow = join(bench.scratch, `shallow-${counter++}`);
      await exec('git', ['clone', '-q', '--depth=1', `file://${origin}`, shallow]);
      const detached = join(bench.scratch, `detached-${counter++}`);
      await exec('git', ['clone', '-q', '--depth=1', `file://${origin}`, detached]);
      await exec('git', ['-C', detached, 'checkout', '-q', '--detach']);
      await exec('git', ['-C', detached, 'branch', '-q', '-D', 'main']);
      for (const clone of [odd, shallow, detached]) {
        const { hosts, failures } = await run(join(clone, "deep er/in'ner"));
        expect(failures).toEqual([]);
        expect(hosts.map(({ toplevel }) => toplevel)).toEqual(plain.map(({ toplevel }) => toplevel));
      }
    });

    test('outside Git', async () => {
      const folder = await folderOf(fleet('flake', ['web']));
      const inside = await run(folder);
      await rm(join(folder, '.git'), { recursive: true });
      const outside = await run(folder);
      expect([outside.commit, outside.dirty]).toEqual([null, false]);
      expect(outside.hosts[0]?.toplevel).toEqual(inside.hosts[0]?.toplevel);
    });

    test('its inputs may say their host by the commit: another commit is another plan', async () => {
      const flake = (fleet('flake', ['web'])['flake.nix'] ?? '')
        .replace('outputs = { nixpkgs, ... }', 'outputs = { self, nixpkgs, ... }')
        .replace('modules = [', 'modules = [ { environment.etc.commit.text = self.rev; }');
      const folder = await folderOf({ ...fleet('flake', ['web']), 'flake.nix': flake });
      const planCache = join(bench.scratch, `cache-${counter}`);
      const [before] = (await run(folder, { planCache })).hosts;
      await bench.commit(folder);
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
  });
});
