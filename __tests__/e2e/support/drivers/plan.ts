/*
 * Plans a source in a process of its own, whose memory the test can limit. Reads a PlanJob from standard input and prints a
 * PlanAnswer.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../../../src/context.ts';
import { type Exec, exec } from '../../../../src/exec.ts';
import { Nix, type NixInstallation } from '../../../../src/nix/index.ts';
import { type PlanConfig, plan } from '../../../../src/plan/index.ts';

export interface PlanJob {
  installation: NixInstallation;
  config: PlanConfig;
}

export interface PlanAnswer {
  hosts: string[];
  failures: { host: string; message: string }[];
  /** How many evaluators were started for hosts. */
  evaluators: number;
}

const { installation, config } = JSON.parse(readFileSync(0, 'utf8')) as PlanJob;
let evaluators = 0;
const counted: Exec = (command, args, options) => {
  if (/\/nix-instantiate$/.test(command) && args.includes('hosts')) evaluators += 1;
  return exec(command, args, options);
};
const log = (message: string): void => console.error(message);
const context: Context = {
  exec: counted,
  query: exec,
  log: { debug: () => undefined, info: log, notice: log, warning: log, error: log, secret: () => undefined },
  progress: () => undefined,
  signal: new AbortController().signal,
  scratch: mkdtempSync(join(tmpdir(), 'plan-')),
  environment: process.env,
};
const fleet = await plan(config, new Nix({ exec: counted, environment: process.env }, installation), context);
const answer: PlanAnswer = {
  hosts: fleet.hosts.map(({ name }) => name),
  failures: fleet.failures.map(({ host, message }) => ({ host, message })),
  evaluators,
};
console.log(JSON.stringify(answer));
