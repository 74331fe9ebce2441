import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fleet } from '../../../src/plan/fleet.ts';
import { type PlanConfig, plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { named } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

/** Lock files of npins. Its program cannot be downloaded here: its npins/default.nix is replaced by one with the same interface. */
describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  const planned = async (files: Record<string, string>, rest: Partial<PlanConfig> = {}): Promise<Fleet> =>
    plan(fixture.config(await fixture.repository(files), rest), fixture.nix, fixture.context);
  const namesOf = ({ hosts, failures }: Fleet): unknown => [failures, hosts.map(({ name }) => name)];

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

    test('its plan is kept, although the code looks for a variable of the environment', async () => {
      const folder = await fixture.repository({ ...npins(8, 'Git'), 'configuration.nix': named('web') });
      const { run, evaluations } = fixture.watched();
      const planCache = fixture.newPath('cache');
      const first = await run(folder, { planCache });
      expect(evaluations).not.toEqual([]);
      expect(await run(folder, { planCache })).toEqual(first);
      expect(evaluations).toEqual([]);
    });

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
});
