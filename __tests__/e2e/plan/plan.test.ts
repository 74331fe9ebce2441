import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fleet, Format, Host } from '../../../src/plan/fleet.ts';
import { option, plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import type { NixVersion } from '../support/runner.ts';

const formats: Format[] = ['flake', 'expression', 'configuration', 'morph', 'nixops', 'deploy-rs', 'colmena'];

/** The `targets` in the examples' workflow files, for what the format cannot define. */
const tagsOnly = { web: { tags: ['prod', 'web'] }, db: { tags: ['prod'] }, pi: { tags: ['edge'] } };
const everything = {
  web: { address: 'deploy@web.example.org', tags: ['prod', 'web'] },
  db: { address: 'deploy@db.example.org:2222', tags: ['prod'] },
  pi: { address: 'deploy@pi.example.org', tags: ['edge'] },
};
const targets: Partial<Record<Format, Record<string, unknown>>> = {
  expression: everything,
  configuration: everything,
  nixops: tagsOnly,
  'deploy-rs': tagsOnly,
};

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  const fleets = new Map<Format, Fleet>();
  const folders = new Map<Format, string>();

  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  const host = (format: Format, name: string): Host => {
    const found = fleets.get(format)?.hosts.find(one => one.name === name);
    if (found === undefined) throw new Error(`${format} has no ${name}`);
    return found;
  };

  describe('the same three hosts in seven forms', () => {
    test.each(formats)(
      '%s is detected and planned',
      async format => {
        const folder = await fixture.example(format);
        folders.set(format, folder);
        const fleet = await plan(
          fixture.config(folder, { targets: targets[format] ?? {} }),
          fixture.nix,
          fixture.context,
        );
        fleets.set(format, fleet);
        expect(fleet.failures).toEqual([]);
        expect(fleet.format).toBe(format);
        expect(fleet.detected).toEqual(expect.any(String));
        expect(fleet.hosts.map(({ name, system }) => [name, system])).toEqual([
          ['db', 'x86_64-linux'],
          ['pi', 'aarch64-linux'],
          ['web', 'x86_64-linux'],
        ]);
        const drvs = fleet.hosts.map(({ toplevel }) => toplevel.drvPath);
        expect(await fixture.nix.valid(drvs)).toEqual(new Set(drvs));
      },
      120_000,
    );

    test('their derivations are those of nix-instantiate', async () => {
      for (const name of ['web', 'db', 'pi']) {
        const { stdout } = await fixture.nix.run('nix-instantiate', [
          `${folders.get('expression')}/nixos.nix`,
          '-A',
          `${name}.system`,
        ]);
        expect(host('expression', name).toplevel.drvPath).toBe(stdout.trim());
      }
    });

    test.each(formats)('%s has the same derivations and targets', format => {
      // A key of NixOps or colmena adds a unit, so web has a different system there. Every system of morph contains a file
      // with the commands of its checks (keys.test.ts).
      const hosts = format === 'nixops' || format === 'colmena' ? ['db', 'pi'] : ['db', 'pi', 'web'];
      const same = format === 'morph' ? [] : hosts;
      for (const name of same) expect(host(format, name).toplevel).toEqual(host('expression', name).toplevel);
      for (const name of ['db', 'pi', 'web']) {
        const { target, tags, buildOnly } = host(format, name);
        const port = name === 'db' ? 2222 : format === 'nixops' ? 22 : null;
        expect(target).toMatchObject({ address: `${name}.example.org`, user: 'deploy', port });
        expect([tags, buildOnly]).toEqual([everything[name as 'web'].tags, false]);
      }
    });

    test.each<Format>(['flake', 'morph', 'nixops', 'colmena'])('%s has the secret', format => {
      const { secrets } = host(format, 'web');
      const keys = format === 'nixops' || format === 'colmena';
      expect(secrets).toEqual([
        {
          name: 'tls-key',
          source: { file: `${folders.get(format)}/secrets/tls-key` },
          destination: '/var/lib/secrets/tls-key',
          user: 'root',
          group: 'root',
          permissions: keys ? '0600' : '0400',
          action: [],
          mkDirs: true,
          uploadAt: 'pre-activation',
        },
      ]);
    });

    test.each<Format>(['flake', 'morph'])('%s has the health check', format => {
      expect(host(format, 'web').healthChecks.http).toEqual([
        {
          description: 'the page is there',
          host: null,
          scheme: 'http',
          port: 80,
          path: '/',
          headers: {},
          period: 2,
          timeout: 5,
          insecureSSL: false,
        },
      ]);
    });

    test.each(formats)('%s: the pin has its hash and its revision', format => {
      for (const name of ['db', 'pi', 'web']) {
        expect(host(format, name).nixpkgs).toMatchObject({
          narHash: fixture.miniature.sri,
          by: expect.stringMatching(/^(?:flake\.lock|nixpkgs\.nix:\d+)$/),
        });
      }
    });

    test.each(formats)('%s has the value of an option', async format => {
      const config = fixture.config(folders.get(format) ?? '');
      const ports = await option(config, 'web', 'networking.firewall.allowedTCPPorts', fixture.nix, fixture.context);
      expect(ports).toEqual(expect.arrayContaining([80, 443]));
      await expect(option(config, 'web', 'networking.hostNam', fixture.nix, fixture.context)).rejects.toMatchObject({
        message: expect.stringContaining('"hostNam"'),
      });
    });
  });
});
