import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { fleetOf, lockOf, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

/** What public repositories do, as the smallest case of each. */
describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  const flakeWith = (outputs: string): Promise<string> =>
    fixture.repository({
      'flake.nix': `{\n  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";\n  outputs = { self, nixpkgs }: {\n    ${outputs}\n  };\n}`,
      'flake.lock': lockOf(fixture),
    });
  const fleetIn = (folder: string) => plan(fixture.config(folder), fixture.nix, fixture.context);

  // plmercereau/nixos-pi-zero-2
  test('nodes of deploy-rs below a system, where deploy-rs does not find them', async () => {
    const folder = await flakeWith('deploy.x86_64-linux.nodes.pi = { }; deploy.aarch64-linux.nodes.pi = { };');
    await expect(fleetIn(folder)).rejects.toMatchObject({
      message:
        'The output deploy has no nodes, but aarch64-linux, x86_64-linux: it is defined once for each system. Write `deploy.nodes` outside of the function that does this (`eachDefaultSystem`, `perSystem`): a node has only one system.',
    });
  });

  test('an output deploy without nodes', async () => {
    const folder = await flakeWith('deploy.sshUser = "root"; deploy.node.pi = { };');
    await expect(fleetIn(folder)).rejects.toMatchObject({
      message: 'The output deploy has no nodes; it has node, sshUser.',
    });
  });

  // Tchekda/nixos-configuration, Atemu/nixos-config
  test.each(['home-manager/nixos', 'nixpkgs-26.05'])('<%s> is not what the input nixpkgs pins', async path => {
    const module = sound(`imports = [ <${path}> ];`);
    const folder = await fixture.repository(fleetOf('colmena', { web: module }, fixture).files);
    await expect(fleetIn(folder)).rejects.toMatchObject({
      message: `Not pinned: <${path}>.`,
      cure: expect.stringMatching(
        new RegExp(
          `^Pin ${path.split('/')[0]} in the repository \\(npins, niv, or \`fetchTarball\` with \`sha256\`\\) and import that instead\\. \\(`,
        ),
      ),
    });
  });

  test('an input nixpkgs without a hash is the place of the error', async () => {
    const folder = await fixture.repository({ 'configuration.nix': sound('networking.hostName = "web";') });
    const { path } = fixture.miniature;
    await expect(plan(fixture.config(folder, { nixpkgs: path }), fixture.nix, fixture.context)).rejects.toMatchObject({
      message: `Not pinned: the input nixpkgs, ${path}, whose hash is nowhere in the repository.`,
      where: { input: 'nixpkgs' },
      cure: expect.stringMatching(/^Write it with its hash: `path:.*\?narHash=sha256-…`/),
    });
  });

  // dadatoa/nixos-colmena-npins: a channel, whose entry has no revision, next to a repository.
  test('the revision of another pin is not that of nixpkgs', async () => {
    const { files } = fleetOf('expression', { web: sound('networking.hostName = "web";') }, fixture);
    const pins = {
      nixpkgs: { url: 'https://example.invalid/nixexprs.tar.xz', hash: fixture.miniature.sri },
      other: { revision: '93416f4614ad2dfed5b0dcf12f27e57d27a5ab11', url: 'https://example.invalid/x.tar.gz' },
    };
    const folder = await fixture.repository({
      ...files,
      'nixpkgs.nix':
        'let pin = (builtins.fromJSON (builtins.readFile ./sources.json)).nixpkgs;\nin fetchTarball { inherit (pin) url; sha256 = pin.hash; }\n',
      'sources.json': JSON.stringify(pins),
    });
    const { hosts } = await fleetIn(folder);
    expect(hosts.map(({ nixpkgs }) => nixpkgs)).toEqual([
      { revision: null, narHash: fixture.miniature.sri, by: 'sources.json' },
    ]);
  });

  // denver-cfman/nixos-pi4-cluster, gilligan/nixos-colmena
  test.each(['flake', 'colmena'] as const)('a warning of a %s names files relative to the repository', async form => {
    const module = sound(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is Nix's.
      'networking.hostName = builtins.trace "warning: The option defined in `${toString ./0.nix}\' has been renamed." "web";',
    );
    const folder = await fixture.repository(fleetOf(form, { web: module }, fixture).files);
    fixture.logged.length = 0;
    await fleetIn(folder);
    expect(fixture.logged).toContain("Evaluating web: The option defined in `hosts/0.nix' has been renamed.");
  });

  // rulkens/nixos-pi
  test.each(['flake', 'colmena'] as const)('a variable of the environment in a %s', async form => {
    const module = sound(
      'networking.hostName = (builtins.fromJSON (builtins.readFile (builtins.getEnv "PI_CONFIG"))).name;',
    );
    const folder = await fixture.repository(fleetOf(form, { web: module }, fixture).files);
    const { failures } = await fleetIn(folder);
    expect(failures).toMatchObject([
      {
        message:
          'builtins.getEnv "PI_CONFIG" (hosts/0.nix:4) is empty, because an evaluation does not read the environment. Write the value into a file of the repository; a secret belongs on the target, not in its configuration.',
        file: 'hosts/0.nix',
        line: 4,
      },
    ]);
  });

  // otevrenamesta/otevrenamesta-cz-configuration, davegallant/nixos-pi
  test('a module of <nixpkgs> has a path that needs no pin', async () => {
    const module = sound('imports = [ <nixpkgs/nixos/modules/profiles/qemu-guest.nix> ];');
    const folder = await fixture.repository(fleetOf('colmena', { web: module }, fixture).files);
    await expect(fleetIn(folder)).rejects.toMatchObject({
      message: 'Not pinned: <nixpkgs/nixos/modules/profiles/qemu-guest.nix>.',
      cure: expect.stringMatching(
        /^Write `"\$\{modulesPath\}\/profiles\/qemu-guest\.nix"` instead, with `modulesPath` among the module's arguments\./,
      ),
    });
  });
});
