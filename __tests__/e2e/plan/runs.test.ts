import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import type { Format } from '../../../src/plan/fleet.ts';
import { plan } from '../../../src/plan/index.ts';
import { PlanFixture, type WatchedPlans } from '../support/plan-fixture.ts';
import { named, namedFleet, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  let evaluations: string[][];
  let run: WatchedPlans['run'];

  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
    ({ run, evaluations } = fixture.watched());
  }, 120_000);
  afterAll(() => fixture.remove());

  const nine = Array.from({ length: 9 }, (_, i) => `h${i}`);
  const fleet = (format: Format, hosts = nine): Record<string, string> => namedFleet(format, hosts, fixture);

  test('the result and its order do not depend on the number of evaluators', async () => {
    const folder = await fixture.repository({ ...fleet('morph'), 'hosts/4.nix': '{ ... }: throw "broken host"' });
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

  test('a warning of the configuration is shown once, with its hosts', async () => {
    const old = '{ ... }: { warnings = [ "an option is obsolete" ]; }';
    const warned = '{ ... }: (builtins.warn or (text: builtins.trace ("warning: " + text))) "a module is obsolete" { }';
    const hosts = { 'hosts/0.nix': old, 'hosts/1.nix': warned, 'hosts/2.nix': old };
    const files = { ...fleet('morph', ['h0', 'h1', 'h2']), ...hosts };
    const warnings: string[] = [];
    const log = { ...fixture.context.log, warning: (text: string) => void warnings.push(text) };
    const context = { ...fixture.context, log };
    await plan(fixture.config(await fixture.repository(files), { jobs: 1 }), fixture.nix, context);
    expect(warnings.sort()).toEqual([
      'Evaluating h0, h2: an option is obsolete',
      'Evaluating h1: a module is obsolete',
    ]);
  });

  test('a heap too small for all is enough for each', async () => {
    const folder = await fixture.repository(fleet('morph'));
    const whole = await run(folder);
    expect(await run(folder, { memory: 40_000_000, jobs: 2 })).toEqual(whole);
    // 100 million integers, all in memory at once.
    const numbers = 'builtins.sort builtins.lessThan (builtins.genList (i: 0 - i) 100000000)';
    const huge = sound(`networking.hostName = toString (builtins.length (${numbers}));`);
    const greedy = await fixture.repository({ ...fleet('morph'), 'hosts/1.nix': huge });
    const { hosts, failures } = await run(greedy, { memory: 300_000_000 });
    expect(hosts).toHaveLength(8);
    expect(failures).toMatchObject([
      {
        host: 'h1',
        message: expect.stringMatching(/^The evaluator ran out of memory \(.*\)\. Nothing is known to be wrong with/),
        file: null,
      },
    ]);
    // With all hosts, alone, the others, and alone with all of the memory; before, the format and the names.
    expect(evaluations).toHaveLength(4 + 2);
  }, 60_000);

  describe('a selection by tag', () => {
    const odd = 'a+b(c)[d]{e}|f.g^h$i\\j';
    const tagged = async (): Promise<string> => {
      const files = fleet('morph', ['a', 'b', 'c']);
      const tags = [`[ "x" ]`, `[ "y" ${JSON.stringify(odd)} ]`, `[ "x" "z" ]`];
      const network = tags.reduce(
        (text, list, i) =>
          text.replace(`imports = [ ./hosts/${i}.nix ];`, `$& deployment.tags = ${list.replace('$', '$$$$')};`),
        files['network.nix'] ?? '',
      );
      return fixture.repository({ ...files, 'network.nix': network });
    };

    test('evaluates no more often than a plan of all hosts, and shows only the selected ones as evaluated', async () => {
      const folder = await tagged();
      await run(folder, { jobs: 1 });
      const whole = evaluations.length;
      fixture.logged.length = 0;
      expect((await run(folder, { hosts: ['@x', '!@z'], jobs: 1 })).hosts.map(({ name }) => name)).toEqual(['a']);
      expect(evaluations).toHaveLength(whole);
      expect(fixture.logged.filter(line => /^[abc] |tags/.test(line))).toEqual([
        'Reading the tags of 3 hosts.',
        'a running',
        'a done',
      ]);
    });

    test.each<[string[], string[]]>([
      [['@?'], ['a', 'b', 'c']],
      [[`@${odd}`], ['b']],
      [['!@x'], ['b']],
      [
        ['a', '@z'],
        ['a', 'c'],
      ],
      [['@x', '!a'], ['c']],
    ])('%j selects %j, in one evaluation', async (hosts, names) => {
      const folder = await tagged();
      expect((await run(folder, { hosts, jobs: 1 })).hosts.map(({ name }) => name)).toEqual(names);
      expect(evaluations.filter(args => args.includes('tagged'))).toHaveLength(1);
      expect(evaluations.filter(args => args.includes('hosts'))).toHaveLength(0);
    });

    test('the tags of the input `targets` replace those of the source', async () => {
      const targets = { b: { tags: ['x'] }, c: { tags: ['w'] } };
      const { hosts } = await run(await tagged(), { hosts: ['@x'], targets, jobs: 1 });
      expect(hosts.map(({ name }) => name)).toEqual(['a', 'b']);
      expect(evaluations.filter(args => args.includes('hosts'))).toHaveLength(0);
    });

    test('a selected host that fails is a failure, and the hosts after it are planned', async () => {
      const folder = await tagged();
      await writeFile(join(folder, 'hosts/0.nix'), '{ ... }: { config.system.name = throw "broken host"; }');
      const { hosts, failures } = await run(folder, { hosts: ['@x'], jobs: 1 });
      expect(hosts.map(({ name }) => name)).toEqual(['c']);
      expect(failures).toMatchObject([{ host: 'a' }]);
    });
  });

  describe('a flake', () => {
    test('with uncommitted changes is planned with them, with a notice', async () => {
      const folder = await fixture.repository(fleet('flake', ['web']));
      const clean = await run(folder);
      expect([clean.dirty, clean.commit]).toEqual([false, expect.stringMatching(/^[0-9a-f]{40}$/)]);
      await writeFile(join(folder, 'hosts/0.nix'), named('other'));
      fixture.logged.length = 0;
      const dirty = await run(folder);
      expect([dirty.dirty, dirty.commit]).toEqual([true, clean.commit]);
      expect(dirty.hosts[0]?.toplevel).not.toEqual(clean.hosts[0]?.toplevel);
      expect(fixture.logged).toContainEqual(expect.stringContaining('uncommitted changes'));
    });

    test('in a folder with special characters in its name, below the root, in clones without history', async () => {
      const files = Object.fromEntries(
        Object.entries(fleet('flake', ['web'])).map(([file, text]) => [`deep er/in'ner/${file}`, text]),
      );
      const origin = await fixture.repository(files);
      const plain = (await run(join(origin, "deep er/in'ner"))).hosts;
      await writeFile(join(origin, 'README'), 'more history');
      await fixture.commit(origin);
      const odd = fixture.newPath('cl$(id) "o"ne é #1');
      await exec('git', ['clone', '-q', `file://${origin}`, odd]);
      const shallow = fixture.newPath('shallow');
      await exec('git', ['clone', '-q', '--depth=1', `file://${origin}`, shallow]);
      const detached = fixture.newPath('detached');
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
      const folder = await fixture.repository(fleet('flake', ['web']));
      const inside = await run(folder);
      await rm(join(folder, '.git'), { recursive: true });
      const outside = await run(folder);
      expect([outside.commit, outside.dirty]).toEqual([null, false]);
      expect(outside.hosts[0]?.toplevel).toEqual(inside.hosts[0]?.toplevel);
    });
  });
});
