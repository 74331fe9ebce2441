/*
 * Runs the archive stage in a separate process, in a machine whose store the test process cannot see. Reads an ArchiveJob
 * from standard input and prints an ArchiveAnswer.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Archive, type ArchiveConfig, archive } from '../../../../src/archive/index.ts';
import { type Exec, exec } from '../../../../src/exec.ts';
import { Nix } from '../../../../src/nix/index.ts';
import type { HostNix } from '../../../../src/plan/fleet.ts';
import { builtHost } from '../built-host.ts';

export interface ArchiveJob {
  hosts: { name: string; system: string; toplevel: string; nix?: HostNix }[];
  config: ArchiveConfig;
  nixVersion: string;
}

export interface ArchiveAnswer {
  archives: Archive[];
  /** How long archiving took. */
  seconds: number;
  /** The most memory that this process used. */
  megabytes: number;
  /** The programs that archiving started, with their first word: `nix copy`. */
  started: string[];
}

const job = JSON.parse(readFileSync(0, 'utf8')) as ArchiveJob;
const nix = new Nix({ exec, environment: process.env }, { bin: null, version: job.nixVersion, env: {} });
const log = (message: string): void => console.error(message);
const built = await Promise.all(job.hosts.map(host => builtHost(nix, host)));
const started: string[] = [];
const counted: Exec = (command, args, options) => {
  started.push(`${basename(command)} ${args[0] ?? ''}`);
  return exec(command, args, options);
};
const context = {
  exec: counted,
  query: counted,
  log: { debug: log, info: log, notice: log, warning: log, error: log, secret: () => undefined },
  progress: () => undefined,
  signal: new AbortController().signal,
  scratch: mkdtempSync(join(tmpdir(), 'archive-driver-')),
  environment: process.env,
};
const began = performance.now();
const archives = await archive(built, job.config, new Nix(context, nix.installation), context, null);
const answer: ArchiveAnswer = {
  archives,
  seconds: (performance.now() - began) / 1000,
  megabytes: process.resourceUsage().maxRSS / 1024,
  started,
};
console.log(JSON.stringify(answer));
