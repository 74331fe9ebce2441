import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fleet } from '../../../src/plan/fleet.ts';
import { type PlanConfig, plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { fleetOf, lockOf, named, pinOf, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

/**
 * Ways from a repository to its hosts besides a plain `nixosConfigurations`. The tools themselves cannot be downloaded here:
 * each is replaced by Nix code that has its interface, and its way to read files and lock files.
 */
describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  const planned = async (files: Record<string, string>, rest: Partial<PlanConfig> = {}): Promise<Fleet> =>
    plan(fixture.config(await fixture.repository(files), rest), fixture.nix, fixture.context);
  const namesOf = ({ hosts, failures }: Fleet): unknown => [failures, hosts.map(({ name }) => name)];
  /** A flake with these outputs, which may use `self`, `nixpkgs` and `lib`. */
  const flake = (outputs: string): Record<string, string> => ({
    'flake.nix': `{
inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";
outputs = inputs@{ self, nixpkgs, ... }: let inherit (nixpkgs) lib; in ${outputs};
}`,
    'flake.lock': lockOf(fixture),
    'hosts/web.nix': named('web'),
    'hosts/db.nix': named('db'),
  });
  const system = (path: string): string => `lib.nixosSystem { modules = [ ${path} ]; }`;

  describe('npins', () => {
    const revision = '0123456789abcdef0123456789abcdef01234567';
    const url = `https://github.com/NixOS/nixpkgs/archive/${revision}.tar.gz`;
    const repository = { type: 'GitHub', owner: 'NixOS', repo: 'nixpkgs' };
    /** The pin as each version of the lock file writes it: with a hash in base 32 up to 5, in SRI form since. */
    const pins = (format: number): Record<string, object> => {
      const { base32, sri } = fixture.miniature;
      const hash = format < 6 ? base32 : sri;
      const git = { type: 'Git', repository, branch: 'nixos-unstable', submodules: false, revision, url, hash };
      const channel = 'https://releases.nixos.org/nixos/25.05/nixos-25.05.804002/nixexprs.tar.xz';
      return {
        Git: git,
        Channel: { type: 'Channel', name: 'nixos-25.05', url: channel, hash },
      };
    };
    /** Since 0.3, the set of pins, and each pin, is also a function: of the lock file, and of the fetchers to use. */
    const code = `let
  functor = fn: (let tried = builtins.tryEval (fn { }); in if tried.success then tried.value else { error = fn { }; }) // { __functor = _: fn; };
  override = name: path: let other = builtins.getEnv "NPINS_OVERRIDE_\${name}"; in if other == "" then path else /. + other;
  source = name: pin: { pkgs ? null }: pin // {
    outPath = override name (builtins.fetchTarball { inherit (pin) url; sha256 = pin.hash; });
  };
in functor ({ input ? ./sources.json }:
  let data = if builtins.isPath input then builtins.fromJSON (builtins.readFile input) else input;
  in builtins.mapAttrs (name: pin: functor (source name pin)) data.pins)
`;
    const npins = (format: number, type: string): Record<string, string> => ({
      'npins/default.nix': code,
      'npins/sources.json': JSON.stringify({ pins: { nixpkgs: pins(format)[type] }, version: format }, null, 2),
    });

    test.each([5, 6, 7, 8].flatMap(format => ['Git', 'Channel'].map(type => [format, type] as const)))(
      'with a lock file of version %d pins a configuration by %s',
      async (format, type) => {
        const files = { ...npins(format, type), 'configuration.nix': named('web') };
        const fleet = await planned(files, { format: 'configuration' });
        expect(namesOf(fleet)).toEqual([[], ['web']]);
        const { nixpkgs } = fleet.hosts[0] ?? {};
        expect(nixpkgs).toEqual({
          revision: type === 'Git' ? revision : null,
          narHash: fixture.miniature.sri,
          by: 'npins/sources.json',
        });
      },
    );

    test.each([
      ['sources', 'import ./npins'],
      ['a pin with other fetchers', 'builtins.mapAttrs (_: pin: pin { }) { inherit (import ./npins { }) nixpkgs; }'],
    ])('in an expression, as %s', async (_, sources) => {
      const nixos = `let sources = ${sources}; in { web = import (sources.nixpkgs + "/nixos") { configuration = ./web.nix; }; }`;
      const fleet = await planned({ ...npins(8, 'Git'), 'default.nix': nixos, 'web.nix': named('web') });
      expect(namesOf(fleet)).toEqual([[], ['web']]);
      expect(fleet.hosts[0]?.nixpkgs).toMatchObject({ by: 'npins/sources.json', revision });
    });

    test('in a hive', async () => {
      const hive =
        '{ meta.nixpkgs = (import ./npins).nixpkgs; web = { imports = [ ./web.nix ]; deployment.targetHost = "web"; }; }';
      const fleet = await planned({ ...npins(8, 'Channel'), 'hive.nix': hive, 'web.nix': named('web') });
      expect(namesOf(fleet)).toEqual([[], ['web']]);
    });
  });

  describe('a flake', () => {
    test('by flake-parts', async () => {
      const parts = `{ lib }: { inputs, ... }: module: (lib.evalModules {
        modules = [
          { options.flake = lib.mkOption { type = lib.types.attrsOf lib.types.anything; default = { }; }; options.systems = lib.mkOption { default = [ ]; type = lib.types.listOf lib.types.str; }; }
          module
        ];
        specialArgs = { inherit inputs; inherit (inputs) self; };
      }).config.flake`;
      const files = flake(`(import ./parts.nix { inherit lib; }) { inherit inputs; } {
        systems = [ "x86_64-linux" "aarch64-darwin" ];
        imports = [ ({ inputs, ... }: { flake.nixosConfigurations.web = inputs.nixpkgs.${system('./hosts/web.nix')}; }) ];
        flake.nixosConfigurations.db = ${system('./hosts/db.nix')};
      }`);
      expect(namesOf(await planned({ ...files, 'parts.nix': parts }))).toEqual([[], ['db', 'web']]);
    });

    test('with hosts that it finds in folders, as nixos-unified does', async () => {
      const files = flake(`let
        found = lib.mapAttrs' (file: type: {
          name = if type == "directory" then file else lib.removeSuffix ".nix" file;
          value = "\${self}/configurations/nixos/\${file}";
        }) (builtins.readDir "\${self}/configurations/nixos");
      in { nixosConfigurations = lib.mapAttrs (_: path: ${system('path')}) found; }`);
      const hosts = {
        'configurations/nixos/web.nix': named('web'),
        'configurations/nixos/db/default.nix': sound('imports = [ ./more.nix ];'),
        'configurations/nixos/db/more.nix': '{ networking.hostName = "db"; }',
      };
      expect(namesOf(await planned({ ...files, ...hosts }))).toEqual([[], ['db', 'web']]);
    });

    test('whose modules use the arguments of specialArgs', async () => {
      const files = flake(`{ nixosConfigurations.web = lib.nixosSystem {
        specialArgs = { inherit inputs self; role = "web"; };
        modules = [ ./hosts/web.nix ({ inputs, role, ... }: { imports = [ (inputs.self + "/roles/\${role}.nix") ]; }) ];
      }; }`);
      const fleet = await planned({
        ...files,
        'roles/web.nix': '{ self, ... }: { environment.etc.role.source = self + "/roles/web.nix"; }',
      });
      expect(namesOf(fleet)).toEqual([[], ['web']]);
    });

    test('whose hosts are the results of lib.evalModules', async () => {
      const files = flake(`{ nixosConfigurations.web = lib.evalModules {
        class = "nixos";
        specialArgs.modulesPath = "\${nixpkgs}/nixos/modules";
        modules = import "\${nixpkgs}/nixos/modules/module-list.nix" ++ [ ./hosts/web.nix ];
      }; }`);
      const whole = await planned(flake(`{ nixosConfigurations.web = ${system('./hosts/web.nix')}; }`));
      const fleet = await planned(files);
      expect(namesOf(fleet)).toEqual([[], ['web']]);
      expect(fleet.hosts[0]?.toplevel).toEqual(whole.hosts[0]?.toplevel);
      expect(fleet.hosts[0]?.nixpkgs).toMatchObject({ by: 'flake.lock' });
    });

    test('whose hosts are below a system is one sentence', async () => {
      const { hosts, failures } = await planned(
        flake(
          `{ nixosConfigurations = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (_: { web = ${system('./hosts/web.nix')}; }); }`,
        ),
      );
      const message =
        'The hosts of nixosConfigurations are one level deeper, below a system: web. Write nixosConfigurations.web instead of nixosConfigurations.<system>.web, outside of the function that repeats outputs for each system (eachDefaultSystem, forAllSystems).';
      expect(hosts).toEqual([]);
      expect(failures.map(({ host, message }) => [host, message])).toEqual([
        ['aarch64-linux', message],
        ['x86_64-linux', message],
      ]);
    });

    test('whose hosts are in a set is one sentence', async () => {
      const { hosts, failures } = await planned(
        flake(
          `{ nixosConfigurations = { web = ${system('./hosts/web.nix')}; servers.db = ${system('./hosts/db.nix')}; }; }`,
        ),
      );
      expect(hosts.map(({ name }) => name)).toEqual(['web']);
      expect(failures).toMatchObject([
        {
          host: 'servers',
          message:
            'The hosts of nixosConfigurations are one level deeper, below "servers": db. Write nixosConfigurations.db instead of nixosConfigurations.servers.db.',
        },
      ]);
    });
  });

  describe('a host', () => {
    /** NixOS puts this source into the registry of the host's Nix, and so into its closure. */
    const registry = `{ config, ... }: {
      environment.etc."nix/registry.json".text = builtins.toJSON { to.path = config.nixpkgs.flake.source; };
    }`;
    test('that has its nixpkgs in its closure by nixpkgs.flake.source', async () => {
      const { path, sri } = fixture.miniature;
      const files = flake(`{ nixosConfigurations.web = lib.nixosSystem {
        modules = [ ./hosts/web.nix ./registry.nix { nixpkgs.flake.source = nixpkgs.outPath; } ];
      }; }`);
      const pinned = {
        'nixos.nix': `let nixpkgs = import ./nixpkgs.nix; in { web = import (nixpkgs + "/nixos") {
          configuration = { imports = [ ./web.nix ./registry.nix ]; nixpkgs.flake.source = nixpkgs; };
        }; }`,
        'web.nix': named('web'),
        'nixpkgs.nix': pinOf(fixture),
      };
      for (const source of [files, pinned]) {
        const fleet = await planned({ ...source, 'registry.nix': registry });
        expect(namesOf(fleet)).toEqual([[], ['web']]);
        expect(fleet.hosts[0]?.nixpkgs).toMatchObject({ narHash: sri });
        const { stdout } = await fixture.nix.run('nix-store', ['-qR', fleet.hosts[0]?.toplevel.drvPath ?? '']);
        expect(stdout.split('\n')).toContain(path);
      }
    });

    /** A module whose toplevel links to that of a variant, as NixOS's specialisations do. */
    const withVariant = `{ config, modulesPath, ... }: {
      networking.hostName = "web";
      nixpkgs.hostPlatform = "x86_64-linux";
      system.systemBuilderCommands = "ln -s \${(import (modulesPath + "/../lib/eval-config.nix") {
        system = null;
        modules = [ { networking.hostName = "web"; nixpkgs.hostPlatform = "x86_64-linux"; environment.etc.fast.text = ""; } ];
      }).config.system.build.toplevel} $out/specialisation/fast";
    }`;
    const expectParent = async (files: Record<string, string>, rest: Partial<PlanConfig> = {}): Promise<void> => {
      const fleet = await planned(files, rest);
      expect(namesOf(fleet)).toEqual([[], ['web']]);
      const drvPath = fleet.hosts[0]?.toplevel.drvPath ?? '';
      const { stdout } = await fixture.nix.run('nix-store', ['--query', '--requisites', drvPath]);
      expect(stdout.split('\n').filter(path => /-nixos-system-web-[^/]*\.drv$/.test(path))).toHaveLength(2);
    };

    test.each(['flake', 'deploy-rs', 'expression', 'configuration', 'colmena', 'morph'] as const)(
      'with a specialisation, as %s, is the parent',
      async form => {
        await expectParent(fleetOf(form, { web: withVariant }, fixture).files, { format: form });
      },
    );

    /** deploy-rs with this `path` of the profile `system` of the node `web`. */
    const node = (path: string, name = 'web'): Record<string, string> => ({
      ...flake(`{
        nixosConfigurations.${name} = lib.nixosSystem { modules = [ ./hosts/variant.nix ]; };
        deploy.nodes.web = { hostname = "web.example.org"; profiles.system.path = ${path}; };
      }`),
      'hosts/variant.nix': withVariant,
    });
    test.each([
      ['web', 'self.nixosConfigurations.web.config.system.build.toplevel'],
      ['web', 'toString self.nixosConfigurations.web.config.system.build.toplevel'],
      ['other', 'self.nixosConfigurations.other.config.system.build.toplevel'],
      ['other', 'toString self.nixosConfigurations.other.config.system.build.toplevel'],
    ])('of deploy-rs whose path is the toplevel of %s itself: %s', async (name, path) => {
      await expectParent(node(path, name));
    });

    test.each([
      [
        'self.nixosConfigurations.web',
        /^The path of the profile system of "web" is a NixOS evaluation, not a package: write `path = deploy-rs\.lib\.<system>\.activate\.nixos self\.nixosConfigurations\.web;`/,
      ],
      [
        'nixpkgs.legacyPackages.x86_64-linux.hello',
        /^"web" is a package that contains no NixOS system\. Write .*activate\.nixos self\.nixosConfigurations\.<name>`\.$/,
      ],
    ])('of deploy-rs whose path is %s is one sentence', async (path, message) => {
      const { hosts, failures } = await planned(node(path));
      expect([hosts, failures]).toMatchObject([[], [{ host: 'web', message: expect.stringMatching(message) }]]);
    });
  });

  describe('without the flakes of Nix', () => {
    /** What flake-compat reads: the lock file, the inputs it names, and the source itself as Git has it. */
    const compat = `{ src }: let
      lock = builtins.fromJSON (builtins.readFile (src + "/flake.lock"));
      inputs = builtins.mapAttrs (_: name: let
        tree = builtins.fetchTree (removeAttrs lock.nodes.\${name}.locked [ "dir" ]);
        outputs = (import (tree + "/flake.nix")).outputs { self = outputs; } // tree;
      in outputs) (removeAttrs (lock.nodes.root.inputs) [ ]);
      info = if builtins.pathExists (src + "/.git") && !builtins.pathExists (src + "/.git/shallow") then builtins.fetchGit src else { outPath = "\${src}"; };
      outputs = (import (info.outPath + "/flake.nix")).outputs (inputs // { self = result; });
      result = outputs // info // { inherit inputs outputs; sourceInfo = info; _type = "flake"; };
    in { defaultNix = removeAttrs result [ "__functor" ] // { default = result.packages.\${builtins.currentSystem}.default or null; }; outputs = result; }`;
    const files = (): Record<string, string> => ({
      ...flake(`{ nixosConfigurations.web = ${system('./hosts/web.nix')}; }`),
      'compat.nix': compat,
      'default.nix': '(import ./compat.nix { src = ./.; }).defaultNix',
    });

    test('by flake-compat: the attribute nixosConfigurations of default.nix', async () => {
      const fleet = await planned(files(), { files: ['default.nix'], attribute: 'nixosConfigurations' });
      expect(namesOf(fleet)).toEqual([[], ['web']]);
      expect(fleet.hosts[0]?.nixpkgs).toMatchObject({ by: 'flake.lock' });
    });

    test('by flake-compat without an attribute: the hosts are in nixosConfigurations', async () => {
      await expect(planned(files(), { files: ['default.nix'] })).rejects.toMatchObject({
        name: 'UserError',
        message:
          'There is no NixOS system in default.nix, but in its attribute nixosConfigurations: write `attribute: nixosConfigurations`',
        where: { file: 'default.nix' },
      });
    });

    test('a folder with flake.nix and default.nix is read as a flake', async () => {
      const fleet = await planned(files());
      expect([fleet.format, namesOf(fleet)]).toEqual(['flake', [[], ['web']]]);
    });

    /** What `unflake` generates: inputs by fetchTree, and a function that passes them to the outputs. */
    const unflake = (): string => {
      const { path, sri } = fixture.miniature;
      return `let
        deps.nixpkgs = builtins.fetchTree { type = "path"; path = "${path}"; narHash = "${sri}"; };
        universe.nixpkgs = (import "\${deps.nixpkgs.outPath}/flake.nix").outputs { self = universe.nixpkgs; } // deps.nixpkgs // { outPath = "\${deps.nixpkgs.outPath}"; };
        inputs = {
          inherit (universe) nixpkgs;
          self = throw "no outputs";
          withInputs = outputs: let self = outputs (inputs // { inherit self; }); in self;
          __functor = self: self.withInputs;
        };
      in inputs`;
    };
    const entry = `import ./unflake.nix (inputs: (inputs.nixpkgs.lib.evalModules {
      specialArgs = { inherit inputs; };
      modules = [
        ({ lib, ... }: { options.nixosConfigurations = lib.mkOption { default = { }; type = lib.types.attrsOf lib.types.raw; }; })
        ({ inputs, ... }: { nixosConfigurations.web = inputs.nixpkgs.lib.nixosSystem { modules = [ ./web.nix ]; }; })
      ];
    }).config)`;
    const unflaked = (): Record<string, string> => ({
      'unflake.nix': unflake(),
      'default.nix': entry,
      'web.nix': named('web'),
    });

    test('by unflake: the attribute nixosConfigurations of default.nix', async () => {
      const fleet = await planned(unflaked(), { attribute: 'nixosConfigurations' });
      expect(namesOf(fleet)).toEqual([[], ['web']]);
      expect(fleet.hosts[0]?.nixpkgs).toMatchObject({ narHash: fixture.miniature.sri, by: 'unflake.nix:2' });
    });

    test('by unflake without an attribute: the hosts are in nixosConfigurations', async () => {
      await expect(planned(unflaked())).rejects.toMatchObject({
        name: 'UserError',
        message: expect.stringContaining('write `attribute: nixosConfigurations`'),
      });
    });

    test('a set of hosts by lib.evalModules', async () => {
      const nixos = `let
        nixpkgs = import ./nixpkgs.nix;
        lib = import (nixpkgs + "/lib");
        hosts = lib.evalModules { modules = [ { options.hosts = lib.mkOption { type = lib.types.attrsOf lib.types.raw; }; } ./hosts.nix ]; specialArgs = { inherit nixpkgs; }; };
      in hosts.config.hosts`;
      const hosts = '{ nixpkgs, ... }: { hosts.web = import (nixpkgs + "/nixos") { configuration = ./web.nix; }; }';
      const fleet = await planned({
        'nixos.nix': nixos,
        'hosts.nix': hosts,
        'web.nix': named('web'),
        'nixpkgs.nix': pinOf(fixture),
      });
      expect(namesOf(fleet)).toEqual([[], ['web']]);
    });

    test('hosts that an expression finds in folders', async () => {
      const nixos = `let nixpkgs = import ./nixpkgs.nix; in builtins.mapAttrs
        (name: _: import (nixpkgs + "/nixos") { configuration = ./hosts + "/\${name}"; }) (builtins.readDir ./hosts)`;
      const files = {
        'hosts/web/default.nix': named('web'),
        'hosts/db/default.nix': named('db'),
        'nixpkgs.nix': pinOf(fixture),
      };
      expect(namesOf(await planned({ 'nixos.nix': nixos, ...files }))).toEqual([[], ['db', 'web']]);
    });
  });
});
