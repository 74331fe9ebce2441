import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import { plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { type Form, fleetOf, formatOf, forms, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

/** Ways not to pin nixpkgs: the Nix code, its name in the error, and a part of the cure. */
const ways: [string, string, string][] = [
  ['<nixpkgs>', '<nixpkgs>', 'Pin nixpkgs in the repository'],
  ['fetchTarball "channel:nixos-25.05"', 'fetchTarball without a hash', 'sha256'],
  ['fetchTarball "https://nixos.org/channels/nixos-25.05/nixexprs.tar.xz"', 'fetchTarball without a hash', 'sha256'],
  ['fetchTarball "file://TARBALL"', 'fetchTarball without a hash', 'sha256'],
  ['builtins.fetchTarball { url = "file://TARBALL"; }', 'fetchTarball without a hash', 'sha256'],
];
const inFlake = (form: Form): boolean => form === 'flake' || form === 'deploy-rs' || form.endsWith('in a flake');

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let fixture: PlanFixture;
  let tarball: string;
  const nixPath = process.env.NIX_PATH;

  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
    tarball = join(fixture.scratch, 'nixpkgs.tar.gz');
    await exec('tar', ['-C', fixture.scratch, '-czf', tarball, 'source']);
    // All of them would succeed: by NIX_PATH, or because the file exists.
    process.env.NIX_PATH = `nixpkgs=${fixture.miniature.path}`;
  }, 120_000);
  afterAll(async () => {
    if (nixPath === undefined) delete process.env.NIX_PATH;
    else process.env.NIX_PATH = nixPath;
    await fixture.remove();
  });

  const refused = async (form: Form, files: Record<string, string>, what: string, cure: string, where: object) => {
    const folder = await fixture.repository(files);
    await expect(
      plan(fixture.config(folder, { format: formatOf(form) }), fixture.nix, fixture.context),
    ).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(`Not pinned: ${what}`),
      where,
      cure: expect.stringContaining(cure),
    });
  };

  describe.each(forms)('%s', form => {
    // A pin next to a configuration or a NixOps network is <nixpkgs>.
    const here = form === 'configuration' || form === 'nixops' ? ways.slice(1) : ways;
    test.each(here)('%s in a host is refused', async (way, what, cure) => {
      const module = sound(
        `imports = [ (${way.replace('TARBALL', tarball)} + "/nixos/modules/profiles/minimal.nix") ];`,
      );
      const { files, moduleOf } = fleetOf(form, { web: module }, fixture);
      await refused(form, files, what, cure, { file: moduleOf('web'), line: 4 });
    });
  });

  describe.each(forms.filter(form => !inFlake(form)))('%s', form => {
    test.each(ways)('%s as its nixpkgs is refused', async (way, what, cure) => {
      const { files } = fleetOf(form, { web: sound() }, fixture);
      const pin = `# nixpkgs\n${way.replace('TARBALL', tarball)}\n`;
      await refused(form, { ...files, 'nixpkgs.nix': pin }, what, cure, { file: 'nixpkgs.nix', line: 2 });
    });
  });

  describe.each(forms.filter(inFlake))('%s', form => {
    test.each([
      ['without a lock', (): undefined => undefined],
      ['with a lock of other inputs', (): string => JSON.stringify({ version: 7, root: 'root', nodes: { root: {} } })],
    ])('an input %s is refused', async (_, lock) => {
      const { files } = fleetOf(form, { web: sound() }, fixture);
      const { 'flake.lock': _locked, ...others } = files;
      const text = lock();
      const all = { ...others, ...(text === undefined ? {} : { 'flake.lock': text }) };
      await refused(form, all, '', 'nix flake lock', { file: 'flake.nix' });
    });
  });
});
