import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Exec, exec } from '../../../src/exec.ts';
import { Nix } from '../../../src/nix/index.ts';
import type { Fleet } from '../../../src/plan/fleet.ts';
import { type PlanConfig, plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { type Form, fleetOf, forms, named, namedFleet, pinOf, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

/** What each process of a plan was asked: the program, with its verb or the attribute that it evaluates. */
interface Watched {
  commands: string[];
  /** The log of the evaluators, by line. */
  log: string[];
  warnings: string[];
}

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  const run = async (folder: string, rest: Partial<PlanConfig> = {}): Promise<Fleet & Watched> => {
    const watched: Watched = { commands: [], log: [], warnings: [] };
    const watch: Exec = (command, args, options) => {
      watched.commands.push(nameOf(command, args));
      const onStderr = (line: string): void => {
        watched.log.push(line);
        options?.onStderr?.(line);
      };
      return exec(command, args, { ...options, onStderr });
    };
    const log = { ...fixture.context.log, warning: (text: string) => void watched.warnings.push(text) };
    const context = { ...fixture.context, exec: watch, query: watch, log };
    const nix = new Nix({ exec: watch, environment: process.env }, fixture.nix.installation);
    return { ...(await plan(fixture.config(folder, rest), nix, context)), ...watched };
  };

  /** What is evaluated: the format is detected, a pin next to the source is read, then its host is evaluated. */
  const evaluations: Record<Form, string[]> = {
    flake: ['nix eval names', 'nix eval opened'],
    expression: ['nix-instantiate expression opened'],
    configuration: ['nix-instantiate pin names', 'nix-instantiate configuration opened'],
    morph: ['nix-instantiate network names', 'nix-instantiate morph opened'],
    nixops: ['nix-instantiate network names', 'nix-instantiate pin names', 'nix-instantiate nixops opened'],
    'nixops in a flake': ['nix eval names', 'nix eval opened'],
    'deploy-rs': ['nix eval names', 'nix eval opened'],
    colmena: ['nix-instantiate colmena opened'],
    'colmena in a flake': ['nix eval names', 'nix eval opened'],
  };

  test.each(forms)('a fleet of one host, %s: its name and the host are evaluated together', async form => {
    const { hosts, failures, commands } = await run(await fixture.repository(namedFleet(form, ['web'], fixture)));
    expect([hosts.map(({ name }) => name), failures]).toEqual([['web'], []]);
    expect(commands).toEqual([
      'git rev-parse',
      'git status',
      ...evaluations[form],
      // How nixpkgs is pinned, and the toplevel in the package of deploy-rs.
      'nix path-info',
      'nix-hash --type',
      ...(form === 'deploy-rs' ? ['nix-store --query'] : []),
    ]);
  });

  const single = (module: string): Record<string, string> => ({
    'configuration.nix': module,
    'nixpkgs.nix': pinOf(fixture),
  });

  test('a configuration.nix that defines the name of its host', async () => {
    const { hosts, commands } = await run(await fixture.repository(single(named('web'))));
    expect(hosts.map(({ name }) => name)).toEqual(['web']);
    expect(commands.filter(command => /configuration/.test(command))).toEqual(['nix-instantiate configuration opened']);
  });

  test('the log of the evaluator has only levels that are read', async () => {
    const { log } = await run(await fixture.repository(single(named('web'))));
    const messages = log.filter(line => line.startsWith('@nix {"action":"msg"'));
    expect(messages.length).toBeGreaterThan(10);
    expect(messages.filter(line => /"level":[5-9]/.test(line))).toEqual([]);
  });

  test('a warning that is printed before the name is known is that of the host', async () => {
    const old = '(builtins.warn or (text: builtins.trace ("warning: " + text))) "a module is obsolete"';
    const module = `{ ... }: ${old} { nixpkgs.hostPlatform = "x86_64-linux"; networking.hostName = "web"; }`;
    const { warnings } = await run(await fixture.repository(single(module)));
    expect(warnings).toEqual(['Evaluating web: a module is obsolete']);
  });

  test('a host that fails after its name is known is a failure of the host', async () => {
    const broken = sound('networking.hostName = "web";', 'system.name = throw "no system";');
    const folder = await fixture.repository(single(broken));
    const { hosts, failures, commands } = await run(folder);
    expect(hosts).toEqual([]);
    expect(failures).toMatchObject([{ host: 'web', message: 'No system.', file: 'configuration.nix' }]);
    expect(commands.filter(command => /configuration/.test(command))).toEqual(['nix-instantiate configuration opened']);
  });

  test('a host that fails before its name is known fails the run', async () => {
    const folder = await fixture.repository(single(sound('networking.hostName = throw "no name";')));
    await expect(run(folder)).rejects.toMatchObject({ message: 'No name.' });
  });

  test('a host that is not selected is not a failure', async () => {
    const { files } = fleetOf('morph', { web: '{ ... }: throw "broken host"' }, fixture);
    const folder = await fixture.repository(files);
    await expect(run(folder, { hosts: ['db'] })).rejects.toMatchObject({ where: { input: 'hosts' } });
  });

  test('with a selection by tag, it is not evaluated before its tags are known', async () => {
    const { files } = fleetOf('morph', { web: sound('deployment.tags = [ "x" ];') }, fixture);
    const { hosts, commands } = await run(await fixture.repository(files), { hosts: ['@x'] });
    expect(hosts.map(({ name }) => name)).toEqual(['web']);
    expect(commands.filter(command => / morph /.test(command))).toEqual([
      'nix-instantiate morph names',
      'nix-instantiate morph tagged',
    ]);
  });

  test('a host that needs more memory than there is', async () => {
    const numbers = 'builtins.sort builtins.lessThan (builtins.genList (i: 0 - i) 100000000)';
    const huge = sound(`networking.hostName = "web"; system.name = toString (builtins.length (${numbers}));`);
    const { hosts, failures, commands } = await run(await fixture.repository(single(huge)), { memory: 300_000_000 });
    expect(hosts).toEqual([]);
    expect(failures).toMatchObject([
      {
        host: 'web',
        message: expect.stringMatching(/^The evaluator ran out of memory \(.*\)\. Nothing is known to be/),
      },
    ]);
    expect(commands.filter(command => /configuration/.test(command))).toEqual([
      'nix-instantiate configuration opened',
      'nix-instantiate configuration hosts',
    ]);
  }, 60_000);
});

function nameOf(command: string, args: readonly string[]): string {
  const program = basename(command);
  const attributes = ['names', 'opened', 'tagged', 'hosts', 'option'];
  const attribute = args.find(arg => attributes.includes(arg));
  if (program === 'nix-instantiate') {
    return `${program} ${basename(args.find(arg => arg.endsWith('.nix')) ?? '', '.nix')} ${attribute}`;
  }
  if (program === 'nix' && args[0] === 'eval') return `nix eval ${attribute}`;
  return `${program} ${program === 'git' ? args[2] : args[0]}`;
}
