import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fleet } from '../../../src/plan/fleet.ts';
import { type PlanConfig, plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { type Form, fleetOf, lockOf, named, pinOf } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

/** Configurations that are read as something else than what they are, or that lack what no tool can guess. */
describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  const planned = async (files: Record<string, string>, rest: Partial<PlanConfig> = {}): Promise<Fleet> =>
    plan(fixture.config(await fixture.repository(files), rest), fixture.nix, fixture.context);

  describe('a host without a system', () => {
    const module = '{ networking.hostName = "web"; }\n';
    const withoutArgument = (form: Form): Record<string, string> => {
      const { files } = fleetOf(form, { web: module }, fixture);
      const nixos = files['nixos.nix'];
      const evaluated =
        'let lib = import (import ./nixpkgs.nix + "/lib"); in { web = import (import ./nixpkgs.nix + "/nixos/lib/eval-config.nix") { inherit lib; system = null; modules = [ ./hosts/0.nix ]; }; }';
      return nixos === undefined ? files : { ...files, 'nixos.nix': evaluated };
    };

    test.each(['flake', 'expression', 'configuration'] as const)(
      '%s: names nixpkgs.hostPlatform and the input `system`, which is used',
      async form => {
        const files = withoutArgument(form);
        const { hosts, failures } = await planned(files, { format: form });
        expect(hosts).toEqual([]);
        expect(failures).toMatchObject([
          { host: 'web', message: expect.stringMatching(/nixpkgs\.hostPlatform[\s\S]*input `system`/) },
        ]);
        const given = await planned(files, { format: form, system: 'aarch64-linux' });
        expect([given.failures, given.hosts]).toMatchObject([[], [{ name: 'web', system: 'aarch64-linux' }]]);
      },
    );

    test('the input `system` does not change a host that has one', async () => {
      const { files } = fleetOf('flake', { web: named('web') }, fixture);
      const plain = await planned(files);
      expect((await planned(files, { system: 'aarch64-linux' })).hosts).toEqual(plain.hosts);
    });
  });

  describe('a set of hosts as a NixOS module', () => {
    const sets = {
      'network.nix': '{\n  network.description = "fleet";\n  web = { deployment.targetHost = "web"; };\n}\n',
      'hive.nix': '{ meta = { nixpkgs = ./nixpkgs.nix; }; web = { deployment.targetHost = "web"; }; }\n',
      'more/hosts.nix': '{ pkgs, ... }:\n{\n  network = { };\n  defaults = { };\n}\n',
    };
    test.each([
      ['network.nix', 'a network of morph or NixOps', '`format: morph` (or `format: nixops`)'],
      ['hive.nix', 'a hive of colmena', '`format: colmena`'],
      ['more/hosts.nix', 'a network of morph or NixOps', '`format: morph` (or `format: nixops`)'],
    ] as const)('%s', async (file, what, format) => {
      const message = `${file} is ${what}, which defines hosts, but it is used as a NixOS module. Write \`source: ${file}\` and ${format}, or import the modules of its hosts instead.`;
      const text = sets[file];
      const alone = await planned(
        { [file]: text, 'nixpkgs.nix': pinOf(fixture) },
        { format: 'configuration', files: [file], system: 'x86_64-linux' },
      ).catch(error => ({ hosts: [], failures: [{ message: error.message, file: error.where.file }] }));
      expect(alone.failures).toMatchObject([{ message, file }]);
      const flake = `{
inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";
outputs = { nixpkgs, ... }: { nixosConfigurations.web = nixpkgs.lib.nixosSystem { modules = [ ./web.nix ./${file} ]; }; };
}`;
      const { failures } = await planned(
        { 'flake.nix': flake, 'flake.lock': lockOf(fixture), [file]: text, 'web.nix': named('web') },
        { format: 'flake' },
      );
      expect(failures).toMatchObject([{ host: 'web', message, file }]);
    });

    test('a host module with an unknown option, although it configures systemd.network, is not one', async () => {
      const module =
        '{\n  nixpkgs.hostPlatform = "x86_64-linux";\n  systemd = { network = { }; };\n  nothing = 1;\n}\n';
      const { failures } = await planned(fleetOf('flake', { web: module }, fixture).files);
      expect(failures).toMatchObject([{ message: expect.stringMatching(/^The option `.*' does not exist/) }]);
    });
  });

  test.each<[string, Record<string, string>, string]>([
    ['a flake', { 'flake.nix': '{ outputs = _: { nixosConfigurations = { }; }; }' }, 'flake.nix'],
    ['a network', { 'network.nix': '{ network.ordering = { }; }' }, 'network.nix'],
    ['a hive', { 'hive.nix': '{ meta.nixpkgs = import ./nixpkgs.nix; }' }, 'hive.nix'],
  ])('%s without a host is an error', async (_, files, file) => {
    await expect(planned({ ...files, 'nixpkgs.nix': pinOf(fixture) })).rejects.toMatchObject({
      name: 'UserError',
      message: `${file} defines no host.`,
      where: { file },
    });
  });
});
