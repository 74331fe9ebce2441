import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fleet, Format } from '../../../src/plan/fleet.ts';
import { locate, option, type PlanConfig, plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { fleetOf, lockOf, named, pinOf, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  /** Plans the files of a folder as the input `source` names them. */
  const run = (folder: string, source: string, rest: Partial<PlanConfig> = {}): Promise<Fleet> => {
    const located = locate(source.replaceAll('./', `${folder}/`));
    return plan(fixture.config(located.source, { ...located, ...rest }), fixture.nix, fixture.context);
  };
  const packages = 'import (import ./nixpkgs.nix) { system = "x86_64-linux"; }';

  describe('one file', () => {
    const hosts = { web: named('web'), db: named('db') };
    test.each<[Format, string, 'auto' | Format]>([
      ['morph', 'fleet.nix', 'auto'],
      ['nixops', 'rpi.nix', 'auto'],
      ['colmena', 'fleet.nix', 'auto'],
      ['expression', 'fleet.nix', 'expression'],
      ['expression', 'nixos.nix', 'auto'],
      ['flake', 'flake.nix', 'auto'],
    ])('%s: %s, format: %s', async (format, file, said) => {
      const { files, main } = fleetOf(format, hosts, fixture);
      const { [main]: text = '', ...others } = files;
      const whole = await fixture.repository(files);
      const folder = await fixture.repository({
        ...others,
        [file]: text,
        'hive.nix': '{ }',
        'configuration.nix': '{ }',
      });
      const fleet = await run(folder, `./${file}`, { format: said });
      expect([fleet.format, fleet.source, fleet.failures]).toEqual([format, folder, []]);
      const expected = await run(whole, './', { format });
      expect(fleet.hosts.map(({ toplevel }) => toplevel)).toEqual(expected.hosts.map(({ toplevel }) => toplevel));
    });

    test('a configuration in a folder, with its pin above it', async () => {
      const files = {
        'hosts/router.nix': named('router'),
        'hosts/other.nix': 'throw "not asked"',
        'nixpkgs.nix': pinOf(fixture),
      };
      const folder = await fixture.repository(files);
      const { hosts } = await run(folder, './hosts/router.nix', { format: 'configuration' });
      expect(hosts).toMatchObject([
        { name: 'router', nixpkgs: { narHash: fixture.miniature.sri, by: 'nixpkgs.nix:3' } },
      ]);
    });

    test('whose format cannot be detected is an error', async () => {
      const folder = await fixture.repository({ 'hosts/router.nix': named('router') });
      await expect(run(folder, './hosts/router.nix')).rejects.toMatchObject({
        message: 'The format of router.nix could not be detected.',
        where: { input: 'format' },
        cure: expect.stringContaining('format: configuration'),
      });
    });
  });

  describe('several files', () => {
    test('of a NixOps network, in different folders', async () => {
      const folder = await fixture.repository({
        'infra/network.nix': `{ network.nixpkgs = import (import ../nixpkgs.nix) { system = "x86_64-linux"; }; web = ../web.nix; }`,
        'infra/ec2/physical.nix': '{ web.deployment = { targetHost = "192.0.2.1"; targetPort = 2222; }; }',
        'web.nix': named('web'),
        'nixpkgs.nix': pinOf(fixture),
        // Two pins: the network itself defines which one it uses.
        'flake.lock': lockOf(fixture),
      });
      const fleet = await run(folder, './infra/network.nix, ./infra/ec2/physical.nix');
      expect([fleet.format, fleet.failures]).toEqual(['nixops', []]);
      expect(fleet.hosts).toMatchObject([{ name: 'web', target: { address: '192.0.2.1', port: 2222 } }]);
    });

    test('configurations: each is a host', async () => {
      const files = {
        'a/configuration.nix': named('a'),
        'b/configuration.nix': named('b'),
        'nixpkgs.nix': pinOf(fixture),
      };
      const folder = await fixture.repository({ ...files, 'c/configuration.nix': 'throw "not asked"' });
      const { hosts } = await run(folder, './a/configuration.nix\n./b/configuration.nix\n');
      expect(hosts.map(({ name }) => name)).toEqual(['a', 'b']);
    });

    test.each<[Format, string]>([
      ['morph', 'morph starts from one file, but `source` names one.nix, two.nix.'],
      ['flake', 'flake starts from one file, but `source` names one.nix, two.nix.'],
    ])('%s accepts only one', async (format, message) => {
      const folder = await fixture.repository({ 'one.nix': '{ }', 'two.nix': '{ }' });
      await expect(run(folder, './one.nix, ./two.nix', { format })).rejects.toMatchObject({
        message,
        where: { input: 'source' },
      });
    });
  });

  describe('arguments', () => {
    const network = (head: string): Promise<string> =>
      fixture.repository({
        'network.nix': `${head} {
          network.nixpkgs = ${packages};
          web = { imports = [ ./web.nix ]; deployment.targetHost = "web.\${domain}"; environment.etc.count.text = toString (count + 1); };
        }`,
        'web.nix': named('web'),
        'nixpkgs.nix': pinOf(fixture),
      });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: must not be evaluated
    const domain = '"${throw "read"}$(id)';

    test.each(['{ domain, count ? 1 }:', 'args: with args;', '{ domain, ... }@args: with args;'])(
      'of the network %s',
      async head => {
        const { hosts, failures } = await run(await network(head), './network.nix', {
          arguments: { domain: 'example.org', count: 2 },
        });
        expect(failures).toEqual([]);
        expect(hosts).toMatchObject([{ name: 'web', target: { address: 'web.example.org' } }]);
      },
    );

    test('are passed as values, with any characters', async () => {
      const folder = await fixture.repository({
        'nixos.nix': `{ domain, system }: { web = import (import ./nixpkgs.nix + "/nixos") { inherit system; configuration = { imports = [ ./web.nix ]; environment.etc.domain.text = domain; }; }; }`,
        'web.nix': named('web'),
        'nixpkgs.nix': pinOf(fixture),
      });
      const config = fixture.config(folder, { arguments: { domain, system: 'x86_64-linux', unused: 1 } });
      expect(await option(config, 'web', 'environment.etc.domain.text', fixture.nix, fixture.context)).toBe(domain);
    });

    test.each<[Record<string, unknown>, RegExp]>([
      [{}, /takes the argument domain, which is not given/],
      [{ domain: 'x', count: 1, dommain: 'y' }, /called with unexpected argument 'dommain'/],
    ])('%j is one error', async (given, message) => {
      const folder = await network('{ domain, count ? 1 }:');
      await expect(run(folder, './network.nix', { arguments: given })).rejects.toMatchObject({
        name: 'UserError',
        message: expect.stringMatching(message),
        where: { file: 'network.nix' },
      });
    });

    test('an attribute for a format without one is one error', async () => {
      const { files } = fleetOf('morph', { web: sound() }, fixture);
      await expect(run(await fixture.repository(files), './', { attribute: 'web' })).rejects.toMatchObject({
        message: 'morph has no use for an attribute, but "web" is given.',
        where: { input: 'attribute' },
      });
    });

    test('for a format without arguments are one error', async () => {
      const { files } = fleetOf('morph', { web: sound() }, fixture);
      await expect(run(await fixture.repository(files), './', { arguments: { a: 1 } })).rejects.toMatchObject({
        message: 'morph takes no arguments, but "a" is given.',
        where: { input: 'arguments' },
      });
      const plain = fleetOf('nixops', { web: sound() }, fixture).files;
      await expect(run(await fixture.repository(plain), './', { arguments: { a: 1 } })).rejects.toMatchObject({
        message: expect.stringContaining('no file of the network is a function'),
      });
    });
  });
});
