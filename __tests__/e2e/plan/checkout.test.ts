import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import type { EvaluationFailure } from '../../../src/plan/fleet.ts';
import { type PlanConfig, plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { fleetOf, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

/** What a checkout may lack: submodules, files of Git LFS and git-crypt, and files that nobody committed. */
describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;

  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  const git = (folder: string, ...args: string[]) =>
    exec('git', ['-C', folder, '-c', 'protocol.file.allow=always', ...args]);
  const flakeWith = (module: string, more: Record<string, string> = {}): Promise<string> =>
    fixture.repository({ ...fleetOf('flake', { web: module }, fixture).files, ...more });
  const failureOf = async (folder: string, rest: Partial<PlanConfig> = {}): Promise<EvaluationFailure | undefined> => {
    const { failures } = await plan(fixture.config(folder, rest), fixture.nix, fixture.context);
    return failures[0];
  };

  /** A flake whose host imports `sub/m.nix` of a submodule. */
  const withSubmodule = async (): Promise<string> => {
    const sub = await fixture.repository({ 'm.nix': '{ time.timeZone = "Europe/Paris"; }' });
    const folder = await flakeWith(sound('imports = [ ../sub/m.nix ];', 'networking.hostName = "web";'));
    await git(folder, 'submodule', 'add', '-q', sub, 'sub');
    await fixture.commit(folder);
    return folder;
  };

  // Git does not allow Nix to download it again from where it is.
  test('a submodule that is checked out is read, also with uncommitted changes and below the root', async () => {
    const folder = await withSubmodule();
    const run = async (source = folder, rest: Partial<PlanConfig> = {}): Promise<string | undefined> => {
      const { hosts, failures } = await plan(fixture.config(source, rest), fixture.nix, fixture.context);
      expect([failures, hosts.map(({ name }) => name)]).toEqual([[], ['web']]);
      return hosts[0]?.toplevel.drvPath;
    };
    const clean = await run();
    expect(await run(folder, { nixpkgsPin: 'warn' })).toBe(clean);
    await writeFile(join(folder, 'sub/m.nix'), '{ time.timeZone = "Europe/Berlin"; }');
    expect(await run()).not.toBe(clean);
    await exec('git', ['-C', folder, 'checkout', '-q', '--recurse-submodules', '.']);
    await exec('mkdir', [join(folder, 'fleet')]);
    await exec('sh', ['-c', 'cd "$0" && git mv -k flake.nix flake.lock hosts fleet', folder]);
    await writeFile(
      join(folder, 'fleet/hosts/0.nix'),
      sound('imports = [ ../../sub/m.nix ];', 'networking.hostName = "web";'),
    );
    await fixture.commit(folder);
    if (version !== '2.8') expect(await run(join(folder, 'fleet'))).toBe(clean);
    else {
      await expect(run(join(folder, 'fleet'))).rejects.toMatchObject({
        message: expect.stringMatching(
          /^Nix 2\.8\.0 cannot read a flake that is below the root of a repository with submodules/,
        ),
        cure: expect.stringContaining('`nix-version`'),
      });
    }
  });

  test('a submodule that is not checked out', async () => {
    const folder = await withSubmodule();
    await git(folder, 'submodule', 'deinit', '-q', '--all', '--force');
    expect(await failureOf(folder)).toMatchObject({
      message:
        'sub/m.nix, which hosts/0.nix:4 reads, is in the submodule sub, which is not checked out. Set `submodules: true` of actions/checkout, or run `git submodule update --init --recursive`.',
      file: 'hosts/0.nix',
      line: 4,
    });
  });

  test('a file that nobody committed', async () => {
    const folder = await flakeWith(
      sound('imports = [ ./hardware-configuration.nix ];', 'networking.hostName = "web";'),
    );
    expect(await failureOf(folder)).toMatchObject({
      message:
        'hosts/hardware-configuration.nix, which hosts/0.nix:4 reads, is not in the repository. Commit it, or correct the path. `nixos-generate-config --show-hardware-config` prints it on the machine.',
      file: 'hosts/0.nix',
      line: 4,
    });
    await writeFile(join(folder, 'hosts/hardware-configuration.nix'), '{ }');
    expect((await failureOf(folder))?.message).toMatch(
      /^hosts\/hardware-configuration\.nix, .* is not tracked by Git, /,
    );
  });

  test('a file that does not exist, outside Git', async () => {
    const { files } = fleetOf('flake', { web: sound('imports = [ ./hardware-configuration.nix ];') }, fixture);
    const folder = await fixture.repository(files);
    await rm(join(folder, '.git'), { recursive: true });
    expect(await failureOf(folder)).toMatchObject({
      message:
        'hosts/hardware-configuration.nix, which hosts/0.nix:4 reads, does not exist. Create it, or correct the path. `nixos-generate-config --show-hardware-config` prints it on the machine.',
      file: 'hosts/0.nix',
      line: 4,
    });
  });

  test('a file of the machine', async () => {
    const path = '/etc/nixos/hardware-configuration.nix';
    const { files } = fleetOf('configuration', { web: sound(`imports = [ ${path} ];`) }, fixture);
    const folder = await fixture.repository(files);
    expect(await failureOf(folder)).toMatchObject({
      message: expect.stringMatching(
        /^\/etc\/nixos\/hardware-configuration\.nix, which hosts\/web\/configuration\.nix:4 reads, is a file of the target/,
      ),
      file: 'hosts/web/configuration.nix',
    });
  });

  test.each([
    [
      'Git LFS',
      'lfs',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n',
      /Set `lfs: true` of actions\/checkout/,
    ],
    ['git-crypt', 'git-crypt', '\0GITCRYPT\0\x01\x02', /Run `git-crypt unlock`/],
  ])('a file of %s that was not decoded', async (by, filter, content, cure) => {
    const attributes = { '.gitattributes': `hosts/*.json filter=${filter}\n`, 'hosts/web.json': content };
    const module = sound('networking.hostName = (builtins.fromJSON (builtins.readFile ./web.json)).name;');
    const folder = await flakeWith(module, attributes);
    const failure = await failureOf(folder);
    expect(failure?.message).toMatch(
      by === 'Git LFS' ? /^hosts\/web\.json is kept in Git LFS/ : /^hosts\/web\.json is encrypted by git-crypt/,
    );
    expect(failure?.message).toMatch(cure);
  });
});
