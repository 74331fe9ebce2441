/*
 * Runs the archive stage inside a machine of the testbed, whose store the test process does not see: reads its job from
 * standard input, prints the archives. `node archive-driver.ts < job.json`
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ArchiveConfig, archive } from '../../src/archive/index.ts';
import type { Built } from '../../src/build/built.ts';
import { exec } from '../../src/exec.ts';
import { Nix } from '../../src/nix/index.ts';
import type { HostNix } from '../../src/plan/fleet.ts';

export interface ArchiveJob {
  hosts: { name: string; system: string; toplevel: string; nix?: HostNix }[];
  config: ArchiveConfig;
  nixVersion: string;
}

const job = JSON.parse(readFileSync(0, 'utf8')) as ArchiveJob;
const nix = new Nix(exec, { bin: null, version: job.nixVersion, env: {} });
const log = (message: string): void => console.error(message);
const built = await Promise.all(
  job.hosts.map(async ({ name, system, toplevel, nix: hostNix }): Promise<Built> => {
    const closure = await nix.closure([toplevel]);
    const closureBytes = closure.reduce((sum, { narSize }) => sum + narSize, 0);
    return {
      ok: true,
      toplevel,
      closure,
      closureBytes,
      builtDerivations: 0,
      host: {
        name,
        system,
        toplevel: { drvPath: '', outPath: toplevel },
        target: null,
        tags: [],
        buildOnly: false,
        healthChecks: { cmd: [], http: [] },
        preDeployChecks: { cmd: [], http: [] },
        secrets: [],
        nixpkgs: null,
        nix: hostNix ?? null,
      },
    };
  }),
);
const context = {
  exec,
  query: exec,
  log: { debug: log, info: log, notice: log, warning: log, error: log, secret: () => undefined },
  progress: () => undefined,
  signal: new AbortController().signal,
  scratch: mkdtempSync(join(tmpdir(), 'archive-driver-')),
};
const before = process.resourceUsage().maxRSS;
const began = performance.now();
const archives = await archive(built, job.config, nix, context, null);
const seconds = (performance.now() - began) / 1000;
console.log(
  JSON.stringify({ archives, seconds, megabytes: process.resourceUsage().maxRSS / 1024, before: before / 1024 }),
);
