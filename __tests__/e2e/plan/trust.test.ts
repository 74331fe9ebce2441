import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Nix } from '../../../src/nix/index.ts';
import { plan } from '../../../src/plan/index.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { fleetOf, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('a configuration of an attacker, with Nix %s', version => {
  let fixture: PlanFixture;
  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  test.each(['morph', 'flake'] as const)('%s: runs no program, even if nix.conf allows it', async format => {
    const planted = join(fixture.scratch, `planted-${format}`);
    const run = `builtins.exec [ "/bin/sh" "-c" "touch ${planted}; echo '\\"x\\"'" ]`;
    const { files } = fleetOf(format, { web: sound(`networking.hostName = ${run};`), db: sound() }, fixture);
    const folder = await fixture.repository(files);
    const { installation } = fixture.nix;
    const NIX_CONFIG = `${installation.env.NIX_CONFIG}\nallow-unsafe-native-code-during-evaluation = true`;
    const nix = new Nix(fixture.context, { ...installation, env: { ...installation.env, NIX_CONFIG } });
    const { hosts, failures } = await plan(fixture.config(folder, { format }), nix, fixture.context);
    expect([hosts.map(({ name }) => name), failures.map(({ host }) => host)]).toEqual([['db'], ['web']]);
    expect(existsSync(planted)).toBe(false);
  });

  // The fixture's Nix has `sandbox = false`, as a machine's nix.conf may.
  test('what is built to be imported sees no file of the machine', async () => {
    const outside = join(fixture.scratch, 'outside');
    await writeFile(outside, 'planted');
    const busybox = `builtins.storePath "${fixture.miniature.path}" + "/bootstrap/x86_64-linux/busybox"`;
    const script = `if [ -e ${outside} ]; then printf open; else printf closed; fi > $out`;
    const built = `derivation { name = "imported"; system = "x86_64-linux"; builder = ${busybox}; args = [ "sh" "-c" "${script}" ]; }`;
    const { files } = fleetOf('morph', { web: sound(`networking.hostName = builtins.readFile (${built});`) }, fixture);
    const folder = await fixture.repository(files);
    const { hosts, failures } = await plan(fixture.config(folder), fixture.nix, fixture.context);
    expect(failures).toEqual([]);
    expect(hosts[0]?.toplevel.drvPath).toContain('-nixos-system-closed-');
  });
});
