import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from '../../../src/build/index.ts';
import { readInputs } from '../../../src/inputs.ts';
import type { Fleet, Format } from '../../../src/plan/fleet.ts';
import { type PlanConfig, plan } from '../../../src/plan/index.ts';
import { emulating } from '../support/deploy-fixture.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { fleetOf, lockOf, named, pinOf, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;

  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  const run = (folder: string, rest: Partial<PlanConfig> = {}): Promise<Fleet> =>
    plan(fixture.config(folder, rest), fixture.nix, fixture.context);

  describe('detection', () => {
    test.each<[string, string[], string | RegExp, string]>([
      [
        'a hive and a network',
        ['hive.nix', 'network.nix'],
        /^The format could be morph \(network\.nix has network\.pkgs\) or colmena \(hive\.nix\)\.$/,
        'format',
      ],
      [
        'two expressions',
        ['nixos.nix', 'default.nix'],
        /^Both nixos\.nix and default\.nix could be the expression to start from\.$/,
        'source',
      ],
      ['nothing', ['README.md'], /^No NixOS configuration was found in /, 'source'],
    ])('%s', async (_, names, message, input) => {
      const text: Record<string, string> = { 'hive.nix': '{ }', 'network.nix': '{ network.pkgs = { }; }' };
      const folder = await fixture.repository(Object.fromEntries(names.map(name => [name, text[name] ?? '{ }'])));
      await expect(run(folder)).rejects.toMatchObject({ message: expect.stringMatching(message), where: { input } });
    });

    test('a network.nix that could be of morph or NixOps', async () => {
      const folder = await fixture.repository({ 'network.nix': '{ network.description = "x"; web = { }; }' });
      await expect(run(folder)).rejects.toMatchObject({
        message: expect.stringMatching(/^The format could be morph .* or nixops /),
        cure: 'Write `format: morph` or `format: nixops`.',
      });
    });

    test('a file that the flake reads is not another source', async () => {
      const { files } = fleetOf('colmena in a flake', { web: named('web') }, fixture);
      const flake = `{
        inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";
        outputs = { nixpkgs, ... }: { colmena = import ./network.nix nixpkgs; };
      }`;
      const hive = 'nixpkgs: { meta.nixpkgs = import nixpkgs { system = "x86_64-linux"; }; web = ./hosts/0.nix; }';
      const { format, hosts } = await run(
        await fixture.repository({ ...files, 'flake.nix': flake, 'network.nix': hive }),
      );
      expect([format, hosts.map(({ name }) => name)]).toEqual(['colmena', ['web']]);
      // A network that the flake does not read is another source.
      const other = { ...files, 'network.nix': '{ network.pkgs = { }; }' };
      await expect(run(await fixture.repository(other))).rejects.toThrow(/^The format could be colmena .* or morph /);
    });

    test('the format is logged before anything can fail', async () => {
      const folder = await fixture.repository({ 'morph.nix': '{ network.pkgs = { }; web = ; }' });
      fixture.logged.length = 0;
      await expect(run(folder)).rejects.toThrow('Syntax error');
      expect(fixture.logged).toContain('Format: morph (morph.nix).');
    });

    test('a flake without hosts', async () => {
      const folder = await fixture.repository({ 'flake.nix': '{ outputs = _: { packages = { }; }; }' });
      await expect(run(folder)).rejects.toMatchObject({
        message: 'flake.nix has no output that defines hosts.',
        cure: expect.stringMatching(/ Its outputs: packages\.$/),
      });
    });
  });

  describe('forms of formats', () => {
    const nixos = 'import (import ./nixpkgs.nix + "/nixos") { configuration = ./web.nix; system = "x86_64-linux"; }';

    test.each<[string, string, string | null, string]>([
      ['an evaluation', nixos, null, 'web'],
      ['a toplevel', `(${nixos}).system`, null, 'web'],
      ['a toplevel by its path', `{ a."b.c" = ${nixos}; }`, 'a."b.c".system', 'web'],
      ['a set of toplevels', `{ one = (${nixos}).system; }`, null, 'one'],
      ['a set below an attribute', `{ fleet = { one = ${nixos}; }; shell = { }; }`, 'fleet', 'one'],
      ['a function with defaults', `{ system ? "x86_64-linux" }: { one = ${nixos}; }`, null, 'one'],
      [
        'a package around a profile and a switch script',
        `let pkgs = import (import ./nixpkgs.nix) { system = "x86_64-linux"; }; in {
          one = pkgs.linkFarm "deployment" [
            { name = "profile"; path = (${nixos}).system; }
            { name = "nixos-rebuild-switch"; path = pkgs.writeScript "switch" "exec \${(${nixos}).system}/bin/switch-to-configuration switch"; }
          ];
        }`,
        null,
        'one',
      ],
    ])('expression: %s', async (_, text, attribute, host) => {
      const folder = await fixture.repository({
        'nixos.nix': text,
        'web.nix': named('h0'),
        'nixpkgs.nix': pinOf(fixture),
      });
      const { hosts, failures } = await run(folder, { attribute });
      expect(failures).toEqual([]);
      const expected = host === 'web' ? 'h0' : host;
      expect(hosts.map(({ name, system }) => [name, system])).toEqual([[expected, 'x86_64-linux']]);
      const plain = await fixture.repository({
        'nixos.nix': nixos,
        'web.nix': named('h0'),
        'nixpkgs.nix': pinOf(fixture),
      });
      expect(hosts[0]?.toplevel).toEqual((await run(plain)).hosts[0]?.toplevel);
    });

    test('expression: an attribute that does not exist', async () => {
      const folder = await fixture.repository({
        'nixos.nix': `{ web = ${nixos}; }`,
        'web.nix': named('web'),
        'nixpkgs.nix': pinOf(fixture),
      });
      await expect(run(folder, { attribute: 'wep' })).rejects.toMatchObject({
        message: expect.stringContaining('There is no attribute "wep" in the file; it has web'),
      });
      await expect(run(folder, { attribute: 'a."b' })).rejects.toMatchObject({ where: { input: 'attribute' } });
    });

    test('expression: a package with no system in it', async () => {
      const folder = await fixture.repository({
        'nixos.nix': '{ tool = (import (import ./nixpkgs.nix) { system = "x86_64-linux"; }).hello; }',
        'nixpkgs.nix': pinOf(fixture),
      });
      expect((await run(folder)).failures).toMatchObject([
        { host: 'tool', message: expect.stringContaining('contains no NixOS system') },
      ]);
    });

    test('nixops: several files, require, defaults, arguments, the older nixpkgs.system, a key as text', async () => {
      const folder = await fixture.repository({
        'network.nix': `{ domain ? "example.org" }: {
          network.nixpkgs = import (import ./nixpkgs.nix) { system = "x86_64-linux"; };
          require = [ ./more.nix ];
          defaults = { services.openssh.enable = true; };
          web = { nodes, ... }: { deployment.targetHost = "web.\${domain}"; networking.hostName = "web"; environment.etc.peer.text = nodes.pi.config.networking.hostName; deployment.keys.old = "text of old"; };
        }`,
        'more.nix': '{ pi = { nixpkgs.system = "aarch64-linux"; deployment.targetHost = "pi.example.org"; }; }',
        'physical.nix': '{ web = { nixpkgs.localSystem.system = "x86_64-linux"; deployment.targetPort = 2222; }; }',
        'nixpkgs.nix': pinOf(fixture),
      });
      const { hosts, failures } = await run(folder, { format: 'nixops', files: ['network.nix', 'physical.nix'] });
      expect(failures).toEqual([]);
      expect(hosts).toMatchObject([
        { name: 'pi', system: 'aarch64-linux', target: { address: 'pi.example.org', port: 22 } },
        {
          name: 'web',
          system: 'x86_64-linux',
          target: { address: 'web.example.org', port: 2222 },
          secrets: [{ name: 'old', destination: '/run/keys/old' }],
        },
      ]);
    });

    test('nixops: a cloud is refused by name, and the other host is planned', async () => {
      const folder = await fixture.repository({
        'network.nix': `{
          network.nixpkgs = import (import ./nixpkgs.nix) { system = "x86_64-linux"; };
          box = { deployment.targetEnv = "ec2"; deployment.ec2.region = "eu-west-1"; };
          web = ./web.nix;
        }`,
        'web.nix': named('web'),
        'nixpkgs.nix': pinOf(fixture),
      });
      const { hosts, failures } = await run(folder);
      expect(hosts.map(({ name }) => name)).toEqual(['web']);
      const message = expect.stringMatching(/targetEnv = "ec2" in 'network\.nix', whose/);
      expect(failures).toMatchObject([{ host: 'box', message, file: 'network.nix' }]);
    });

    test('morph: the order of its tags; the format and the pin are logged', async () => {
      const folder = await fixture.repository({
        'network.nix': `{
          network = { pkgs = import (import ./nixpkgs.nix) { system = "x86_64-linux"; }; ordering.tags = [ "db" "web" ]; };
          a = ./web.nix;
          b = { imports = [ ./web.nix ]; deployment.tags = [ "web" ]; };
          c = { imports = [ ./web.nix ]; deployment.tags = [ "web" "db" ]; };
        }`,
        'web.nix': sound(),
        'nixpkgs.nix': pinOf(fixture),
      });
      fixture.logged.length = 0;
      expect((await run(folder)).hosts.map(({ name }) => name)).toEqual(['c', 'b', 'a']);
      expect(fixture.logged).toContain('Format: morph (network.nix has network.ordering, network.pkgs).');
      expect(fixture.logged).toContain(`nixpkgs ${fixture.miniature.sri}, pinned by nixpkgs.nix:3: a, b, c`);
    });

    describe('nixops: a flake', () => {
      const flake = (network: string): Promise<string> =>
        fixture.repository({
          'flake.nix': `{ inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05"; outputs = { self, nixpkgs }: { nixopsConfigurations.default = ${network}; }; }`,
          'flake.lock': lockOf(fixture),
          'web.nix': named('web'),
        });

      test('of two systems, with defaults, arguments and a key', async () => {
        const folder = await flake(`{ domain }: {
          inherit nixpkgs;
          network.storage.legacy = { };
          defaults = { name, ... }: { deployment.targetUser = "deploy"; environment.etc.name.text = name; };
          web = { nodes, resources, ... }: { imports = [ ./web.nix ]; deployment.targetHost = "web.\${domain}"; deployment.keys.k.keyFile = ./web.nix; environment.etc.peer.text = nodes.pi.config.networking.hostName; };
          pi = { nixpkgs.hostPlatform = "aarch64-linux"; deployment.targetPort = 2222; };
        }`);
        const { format, hosts, failures } = await run(folder, { arguments: { domain: 'example.org' } });
        expect([format, failures]).toEqual(['nixops', []]);
        expect(hosts).toMatchObject([
          { name: 'pi', system: 'aarch64-linux', target: { address: 'pi', port: 2222, user: 'deploy' } },
          {
            name: 'web',
            system: 'x86_64-linux',
            target: { address: 'web.example.org', port: 22, user: 'deploy' },
            secrets: [{ name: 'k', source: { file: join(folder, 'web.nix') } }],
          },
        ]);
        for (const { nixpkgs } of hosts) expect(nixpkgs).toMatchObject({ by: 'flake.lock' });
      });

      test.each([
        ['no nixpkgs', '{ web = ./web.nix; }', /The network has no nixpkgs/],
        [
          'an argument that is not given',
          '{ domain }: { inherit nixpkgs; }',
          /takes the argument domain, which is not/,
        ],
        ['no default', 'throw "no network yet"', /^No network yet\./],
      ])('with %s is one error', async (_, network, message) => {
        const planned = run(await flake(network)).then(({ failures }) => failures);
        const said = await planned.then(failures => failures.map(failure => failure.message).join(), String);
        expect(said.replace(/^UserError: /, '')).toMatch(message);
      });

      test('of a cloud is refused by name, and the other host is planned', async () => {
        const folder = await flake(
          '{ inherit nixpkgs; box.deployment = { targetEnv = "hetzner"; hetzner = { }; }; web = ./web.nix; }',
        );
        const { hosts, failures } = await run(folder);
        expect(hosts.map(({ name }) => name)).toEqual(['web']);
        expect(failures).toMatchObject([{ host: 'box', message: expect.stringMatching(/targetEnv = "hetzner"/) }]);
      });
    });

    test('colmena: a flake with a raw and with a prepared hive, a host that is only built, defaults and special arguments', async () => {
      const hive = `{
        meta = { nixpkgs = import nixpkgs { system = "x86_64-linux"; }; specialArgs.greeting = "hello"; };
        defaults.services.openssh.enable = true;
        web = { greeting, name, ... }: { imports = [ ./web.nix ]; environment.etc.greeting.text = greeting + name; deployment.tags = [ "x" ]; };
        local = { imports = [ ./web.nix ]; deployment.targetHost = null; };
      }`;
      const flake = (outputs: string): string =>
        `{ inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05"; outputs = { self, nixpkgs }: { ${outputs} }; }`;
      const files = { 'web.nix': named('web'), 'flake.lock': lockOf(fixture) };
      const raw = await run(await fixture.repository({ ...files, 'flake.nix': flake(`colmena = ${hive};`) }), {
        hosts: ['@x', 'local'],
      });
      expect(raw.failures).toEqual([]);
      expect(raw.hosts).toMatchObject([
        { name: 'local', buildOnly: true, target: null },
        { name: 'web', buildOnly: false, target: { address: 'web', user: 'root' }, tags: ['x'] },
      ]);
      // The part of makeHive's result that is read: the schema, and each host's evaluation with colmena's options.
      const prepared = `colmenaHive = { __schema = "v0.5"; nodes.web = nixpkgs.lib.nixosSystem { modules = [ ./web.nix {
        options.deployment = nixpkgs.lib.mkOption { type = nixpkgs.lib.types.anything; };
        config.deployment = { targetHost = "w"; targetPort = 5; targetUser = null; tags = [ ]; keys = { }; privilegeEscalationCommand = [ "doas" ]; };
      } ]; }; };`;
      const bad = await run(
        await fixture.repository({ ...files, 'flake.nix': flake(`colmena = ${hive.replace('= null', '= "-x"')};`) }),
      );
      expect(bad.hosts[0]).toMatchObject({
        target: null,
        unusable: 'the target of "local".address is "-x". Write `user@address:port`.',
      });
      const { hosts, failures } = await run(await fixture.repository({ ...files, 'flake.nix': flake(prepared) }));
      expect(failures).toEqual([]);
      expect(hosts).toMatchObject([{ name: 'web', target: { address: 'w', port: 5, privilegeEscalation: ['doas'] } }]);
    });

    test('deploy-rs: three levels of settings, other profiles by name, none called system', async () => {
      const path =
        'nixpkgs.legacyPackages.x86_64-linux.buildEnv { name = "activatable"; paths = [ self.nixosConfigurations.web.config.system.build.toplevel ]; }';
      const folder = await fixture.repository({
        'web.nix': named('web'),
        'flake.lock': lockOf(fixture),
        'flake.nix': `{ inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05"; outputs = { self, nixpkgs }: {
          nixosConfigurations.web = nixpkgs.lib.nixosSystem { modules = [ ./web.nix ]; };
          deploy = { sshUser = "outer"; sshOpts = [ "-4" ]; fastConnection = true; nodes = {
            web = { hostname = "a"; sshUser = "node"; sshOpts = [ "-p" "2200" ]; profiles = { system = { path = ${path}; sshUser = "inner"; sudo = "doas -u"; }; home.path = ${path}; }; };
            renamed = { hostname = "b"; profiles.system.path = ${path}; };
            empty = { hostname = "c"; profiles.home.path = ${path}; };
            asks = { hostname = "d"; interactiveSudo = true; profiles.system.path = ${path}; };
          }; };
        }; }`,
      });
      fixture.logged.length = 0;
      const { hosts, failures } = await run(folder);
      expect(failures).toEqual([]);
      const unusable = { target: null, unusable: expect.stringMatching(/^The node "asks" has interactiveSudo/) };
      expect(hosts[0]).toMatchObject({ name: 'asks', ...unusable });
      const asRoot = { user: 'root' };
      const [root] = (await run(folder, { hosts: ['asks'], targets: { asks: asRoot } })).hosts;
      expect(root).toMatchObject({ target: { address: 'd', user: 'root' }, unusable: null });
      expect(hosts.slice(1)).toMatchObject([
        {
          name: 'renamed',
          system: 'x86_64-linux',
          target: { address: 'b', user: 'outer', port: null, substituteOnDestination: false },
        },
        {
          name: 'web',
          system: 'x86_64-linux',
          target: {
            address: 'a',
            user: 'inner',
            port: 2200,
            sshOptions: ['-p', '2200', '-4'],
            privilegeEscalation: ['doas', '-u', 'root'],
          },
        },
      ]);
      expect(hosts[0]?.toplevel).toEqual(hosts[1]?.toplevel);
      expect(fixture.logged).toContainEqual(expect.stringMatching(/^Nodes without a profile `system` .*: empty\.$/));
      expect(fixture.logged).toContainEqual(
        expect.stringMatching(/"web" has profiles that are not NixOS systems, home:/),
      );
    });

    test('deploy-rs: a node whose name is not that of its configuration is found by its profile', async () => {
      const folder = await fixture.example('deploy-rs');
      const [, , web] = (await run(folder)).hosts;
      const flake = join(folder, 'flake.nix');
      await writeFile(flake, (await readFile(flake, 'utf8')).replace(/(nodes = \{\s*)web =/, '$1front ='));
      await fixture.commit(folder);
      const { hosts, failures } = await run(folder);
      expect([failures, hosts.map(({ name }) => name)]).toEqual([[], ['db', 'front', 'pi']]);
      expect([web?.name, hosts[1]?.system, hosts[1]?.toplevel]).toEqual(['web', 'x86_64-linux', web?.toplevel]);
    });

    test('configuration: a single one has the name of its host; an undefined system is an error', async () => {
      const files = { 'nixpkgs.nix': pinOf(fixture), 'hardware-configuration.nix': '{ }' };
      const module = '{ imports = [ ./hardware-configuration.nix ]; networking.hostName = "alone"; }';
      const folder = await fixture.repository({ ...files, 'configuration.nix': module });
      expect((await run(folder)).failures).toMatchObject([
        {
          host: 'alone',
          message: expect.stringMatching(/does not define the system of "alone": set nixpkgs\.hostPlatform/),
        },
      ]);
      const { hosts } = await run(folder, { system: 'aarch64-linux' });
      expect(hosts).toMatchObject([{ name: 'alone', system: 'aarch64-linux' }]);
    });

    test('configuration: an undefined system is said before anything uses it', async () => {
      // NixOS 26.11 looks at the platform of its packages before it knows the host's name.
      const module = (own: string): string =>
        `{ pkgs, ... }: { networking.hostName = if pkgs.stdenv.hostPlatform.is64bit then "alone" else "other"; ${own} }`;
      const folder = await fixture.repository({ 'nixpkgs.nix': pinOf(fixture), 'configuration.nix': module('') });
      expect((await run(folder)).failures).toMatchObject([
        { host: 'alone', message: expect.stringContaining('the input `system`'), file: 'configuration.nix' },
      ]);
      for (const own of ['nixpkgs.system = "aarch64-linux";', 'nixpkgs.hostPlatform = "aarch64-linux";']) {
        const folder = await fixture.repository({ 'nixpkgs.nix': pinOf(fixture), 'configuration.nix': module(own) });
        expect((await run(folder)).hosts).toMatchObject([{ name: 'alone', system: 'aarch64-linux' }]);
      }
    });
  });
});

test('every example is complete: it has a workflow, and its hosts build', async () => {
  const fixture = await PlanFixture.create('2.26');
  try {
    const formats: Format[] = ['flake', 'expression', 'configuration', 'morph', 'nixops', 'deploy-rs', 'colmena'];
    const drvs = new Set<string>();
    for (const format of formats) {
      const folder = await fixture.example(format);
      expect(readdirSync(join(folder, '.github/workflows'))).toContain('deploy.yml');
      const fleet = await plan(fixture.config(folder), fixture.nix, fixture.context);
      const { built } = await emulating(() =>
        build(fleet, readInputs({}, name => name).build, fixture.nix, fixture.context),
      );
      for (const one of built) {
        expect(one).toMatchObject({ ok: true, toplevel: one.host.toplevel.outPath });
        drvs.add(one.host.toplevel.drvPath);
      }
    }
    // Three hosts; morph's own three, which contain the commands of their checks; web with keys of NixOps, and of colmena.
    expect(drvs.size).toBe(3 + 3 + 2);
  } finally {
    await fixture.remove();
  }
}, 300_000);
