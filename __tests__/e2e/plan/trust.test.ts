import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Nix } from '../../../src/nix/index.ts';
import { plan } from '../../../src/plan/index.ts';
import { PlanBench } from '../support/plan-fixture.ts';
import { fleetOf, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('a configuration of an attacker, with Nix %s', version => {
  let bench: PlanBench;
  beforeAll(async () => {
    bench = await PlanBench.create(version);
  }, 120_000);
  afterAll(() => bench.remove());

  test.each(['morph', 'flake'] as const)('%s: runs no program, even if nix.conf allows it', async format => {
    const planted = join(bench.scratch, `planted-${format}`);
    const run = `builtins.exec [ "/bin/sh" "-c" "touch ${planted}; echo '\\"x\\"'" ]`;
    const { files } = fleetOf(format, { web: sound(`networking.hostName = ${run};`), db: sound() }, bench);
    const folder = await bench.repository(`native-${format}`, files);
    const { installation } = bench.nix;
    const NIX_CONFIG = `${installation.env.NIX_CONFIG}\nallow-unsafe-native-code-during-evaluation = true`;
    const nix = new Nix(bench.context, { ...installation, env: { ...installation.env, NIX_CONFIG } });
    const { hosts, failures } = await plan(bench.config(folder, { format }), nix, bench.context);
    expect([hosts.map(({ name }) => name), failures.map(({ host }) => host)]).toEqual([['db'], ['web']]);
    expect(existsSync(planted)).toBe(false);
  });
});
