import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import type { Fleet } from '../../../src/plan/fleet.ts';
import { plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { type Form, fleetOf, formatOf, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

/*
 * Hosts that read files of the runner outside the repository. Each of them is a host of its own, so that the fleet shows which
 * one of them succeeds.
 */
const forms: Form[] = ['expression', 'configuration', 'morph', 'nixops', 'colmena', 'flake', 'colmena in a flake'];

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('files outside the repository, with Nix %s', version => {
  let fixture: PlanFixture;
  let outside: string;
  let clone: string;
  let cloned: string;
  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
    outside = join(fixture.scratch, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'token'), 'planted');
    await writeFile(join(outside, 'name.nix'), '"planted"');
    clone = await fixture.repository({ 'name.nix': '"planted"' }, 'clone');
    cloned = (await exec('git', ['-C', clone, 'rev-parse', 'HEAD'])).stdout.trim();
  }, 120_000);
  afterAll(() => fixture.remove());

  const attacks = (): Record<string, string> => ({
    read: `builtins.readFile "${outside}/token"`,
    list: `builtins.head (builtins.attrNames (builtins.readDir "${outside}"))`,
    import: `import "${outside}/name.nix"`,
    above: 'builtins.readFile (./. + "/../../outside/token")',
    copy: `builtins.unsafeDiscardStringContext (builtins.baseNameOf "\${${outside}/token}")`,
    link: 'builtins.readFile ./link',
    clone: `import "\${builtins.fetchGit "${clone}"}/name.nix"`,
    'clone-url': `import "\${builtins.fetchGit { url = "file://${clone}"; }}/name.nix"`,
    'clone-rev': `import "\${builtins.fetchGit { url = "${clone}"; rev = "${cloned}"; }}/name.nix"`,
    'clone-ref': `import "\${builtins.fetchGit { url = "file://${clone}"; ref = "HEAD"; }}/name.nix"`,
    'clone-tree': `import "\${builtins.fetchTree "git+file://${clone}"}/name.nix"`,
    url: `builtins.fetchurl "file://${outside}/token"`,
    path: `builtins.baseNameOf (builtins.path { path = "${outside}"; name = "copied"; })`,
  });

  async function planned(form: Form, hosts: Record<string, string>, rest = {}): Promise<Fleet> {
    const modules = Object.entries(hosts).map(([name, value]) => [name, sound(`networking.hostName = ${value};`)]);
    const { files } = fleetOf(form, { ...Object.fromEntries(modules), sound: sound() }, fixture);
    const folder = await fixture.repository(files);
    for (const parent of ['.', 'hosts', 'hosts/link'])
      await symlink(join(outside, 'token'), join(folder, parent, 'link')).catch(() => undefined);
    await fixture.commit(folder);
    // A flake with uncommitted changes is not evaluated in pure mode.
    if (form.includes('flake')) await writeFile(join(folder, 'flake.nix'), `${files['flake.nix']}\n`);
    // Otherwise, the files that are fetched without a hash would be the first error.
    const config = { format: formatOf(form), nixpkgsPin: 'warn' as const, ...rest };
    return plan(fixture.config(folder, config), fixture.nix, fixture.context);
  }

  test.each(forms)('%s: none is read', async form => {
    const fleet = await planned(form, attacks());
    expect(fleet.hosts.map(({ name }) => name)).toEqual(['sound']);
    expect(JSON.stringify(fleet)).not.toContain('planted');
    const read = fleet.failures.find(({ host }) => host === 'read');
    expect(read?.message).toContain(`the configuration reads ${outside}`);
    expect(read?.message).toContain('`allowed-paths`');
  });

  test.each(forms)('%s: no environment variable is seen', async form => {
    expect(process.env.PATH).not.toBe('');
    const seen = 'if builtins.getEnv "PATH" == "" then "empty" else throw "seen"';
    const { hosts, failures } = await planned(form, { env: seen });
    expect([hosts.map(({ name }) => name), failures]).toEqual([['env', 'sound'], []]);
  });

  test.each(['expression', 'flake'] as const)('%s: what `allowed-paths` names is read', async form => {
    const { hosts, failures } = await planned(form, { read: attacks().read ?? '' }, { allowedPaths: [outside] });
    expect([hosts.map(({ name }) => name), failures]).toEqual([['read', 'sound'], []]);
  });

  test.each(['expression', 'configuration', 'colmena', 'morph'] as const)(
    '%s: the repository itself can be fetched, in any commit or branch',
    async form => {
      const { files } = fleetOf(form, { sound: sound() }, fixture);
      const folder = await fixture.repository({ ...files, 'name.nix': '"old"' });
      await fixture.commit(folder);
      const rev = (await exec('git', ['-C', folder, 'rev-parse', 'HEAD'])).stdout.trim();
      await exec('git', ['-C', folder, 'branch', 'other']);
      // The modules are in the folder `hosts`, or in one below it.
      const up = form === 'configuration' ? '../../.' : '../.';
      const own = {
        path: `builtins.fetchGit ./${up}`,
        attributes: `builtins.fetchGit { url = ./${up}; }`,
        rev: `builtins.fetchGit { url = ./${up}; rev = "${rev}"; }`,
        'rev-ref': `builtins.fetchGit { url = ./${up}; rev = "${rev}"; ref = "other"; }`,
        ref: `builtins.fetchGit { url = ./${up}; ref = "other"; }`,
        all: `builtins.fetchGit { url = ./${up}; rev = "${rev}"; allRefs = true; }`,
      };
      const modules = Object.entries(own).map(([name, value]) => {
        return [name, sound(`networking.hostName = import "\${${value}}/name.nix";`)];
      });
      const all = fleetOf(form, Object.fromEntries(modules), fixture);
      for (const [file, text] of Object.entries(all.files)) {
        await mkdir(join(folder, file, '..'), { recursive: true });
        await writeFile(join(folder, file), text);
      }
      await writeFile(join(folder, 'name.nix'), '"new"');
      await fixture.commit(folder);
      const config = { format: formatOf(form), nixpkgsPin: 'warn' as const };
      const { hosts, failures } = await plan(fixture.config(folder, config), fixture.nix, fixture.context);
      expect(failures).toEqual([]);
      expect(hosts.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(own)));
    },
  );

  test('a folder of the repository that is a link allows nothing outside', async () => {
    const { files } = fleetOf('configuration', { web: sound() }, fixture);
    const { 'nixpkgs.nix': _, ...others } = files;
    const folder = await fixture.repository(others);
    await mkdir(join(outside, 'nixos/lib'), { recursive: true });
    await writeFile(join(outside, 'nixos/lib/eval-config.nix'), '_: throw (builtins.readFile ../../token)');
    await symlink(outside, join(folder, 'nixpkgs'));
    await fixture.commit(folder);
    const planning = plan(fixture.config(folder, { format: 'configuration' }), fixture.nix, fixture.context);
    const said = await planning.then(
      fleet => JSON.stringify(fleet.failures),
      error => String(error),
    );
    expect(said).toContain('outside the repository');
    expect(said).not.toContain('planted');
  });
});
