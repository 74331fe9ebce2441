import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context, HostEvent } from '../../../src/context.ts';
import { type DeployConfig, type Deployment, deploy } from '../../../src/deploy/index.ts';
import type { Mode, Outcome } from '../../../src/deploy/outcome.ts';
import { exec } from '../../../src/exec.ts';
import { readInputs } from '../../../src/inputs.ts';
import { Nix } from '../../../src/nix/index.ts';
import type { Target as TargetAddress } from '../../../src/plan/fleet.ts';
import { repository, root } from './machine.ts';
import type { Target } from './target.ts';

/** Nix like on a runner, with the store of this test file. It builds without a sandbox: the testbed is one. */
export async function localNix(version = '2.26'): Promise<Nix> {
  await exec('mkdir', ['-p', '/nix/store']);
  return new Nix(
    { exec, environment: process.env },
    {
      bin: `/opt/nix/${version}/bin`,
      version,
      env: {
        NIX_CONFIG:
          'build-users-group =\nsandbox = false\nfilter-syscalls = false\nsubstituters =\nextra-platforms = aarch64-linux\n',
      },
    },
  );
}

/** Builds all systems of an expression in fixtures/. @returns name → toplevel. */
export async function buildSystems(
  nix: Nix,
  system = 'x86_64-linux',
  file = 'deploy-systems.nix',
): Promise<Record<string, string>> {
  const work = mkdtempSync(join(tmpdir(), 'systems-'));
  await exec('sh', [
    '-c',
    'cp -R "$0" "$1" && chmod -R u+w "$1"',
    join(repository, 'examples/embedded'),
    join(work, 'fleet'),
  ]);
  await exec('sh', [join(work, 'fleet/fetch-bootstrap.sh'), join(work, 'fleet/nixpkgs/bootstrap'), system]);
  const expression = join(import.meta.dirname, 'fixtures', file);
  const args = ['--arg', 'nixpkgs', join(work, 'fleet/nixpkgs'), '--argstr', 'system', system, expression];
  const { stdout } = await nix.run('nix-instantiate', ['--eval', '--strict', '--json', ...args]);
  await nix.run('nix-build', ['--no-out-link', ...args]);
  return JSON.parse(stdout) as Record<string, string>;
}

/** Runs `work` while aarch64 programs are registered in this file's binfmt_misc. */
export async function emulating<T>(work: () => Promise<T>): Promise<T> {
  const directory = '/proc/sys/fs/binfmt_misc';
  const elf = '\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00';
  const mask = '\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff';
  const name = `deploy-test-${process.pid}`;
  writeFileSync(join(directory, 'register'), `:${name}:M::${elf}:${mask}:${root('qemu-aarch64')}:F`);
  try {
    return await work();
  } finally {
    writeFileSync(join(directory, name), '-1');
  }
}

/** What a run of the deploy stage reported. */
export interface Recorded {
  events: HostEvent[];
  warnings: string[];
  secrets: string[];
}

export function context(
  recorded: Recorded,
  scratch = mkdtempSync(join(tmpdir(), 'deploy-')),
  signal?: AbortSignal,
): Context {
  if (!existsSync(scratch)) mkdirSync(scratch, { recursive: true, mode: 0o700 });
  const silent = (): void => undefined;
  return {
    exec,
    query: exec,
    log: {
      debug: silent,
      info: silent,
      notice: silent,
      warning: message => void recorded.warnings.push(message),
      error: silent,
      secret: text => void recorded.secrets.push(text),
    },
    progress: event => void ('host' in event && recorded.events.push(event)),
    signal: signal ?? new AbortController().signal,
    scratch,
    environment: process.env,
  };
}

export function recorder(): Recorded {
  return { events: [], warnings: [], secrets: [] };
}

/** How a target is reached: as root, with SSH's default port. */
export function address(target: Target, more: Partial<TargetAddress> = {}): TargetAddress {
  return {
    address: target.address,
    port: null,
    user: 'root',
    privilegeEscalation: [],
    sshOptions: [],
    sshOptionsFrom: 'targets',
    substituteOnDestination: false,
    ...more,
  };
}

export function deployment(target: Target, toplevel: string, more: Partial<Deployment> = {}): Deployment {
  const none = { cmd: [], http: [] };
  return {
    host: target.machine.name,
    system: target.system,
    toplevel,
    origin: { commit: null, repository: null, branch: null, committed: null },
    target: address(target),
    buildOnly: false,
    tags: [],
    closure: { from: 'store' },
    archive: null,
    closureBytes: null,
    healthChecks: none,
    preDeployChecks: none,
    secrets: [],
    overrides: {},
    ...more,
  };
}

export function configuration(
  mode: Mode,
  deployKey: string,
  knownHosts: string,
  more: Partial<DeployConfig> = {},
): DeployConfig {
  return {
    ...readInputs({}, name => name).deploy,
    mode,
    deployKey,
    knownHosts,
    parallel: 4,
    maxFailures: 100,
    confirmTimeout: 60,
    healthTimeout: 60,
    who: 'acme/fleet run 7',
    run: 'https://github.com/acme/fleet/actions/runs/7',
    ownSsh: false,
    ownCode: true,
    secretVariables: {},
    ...more,
  };
}

/** One host's outcome. */
export async function deployOne(
  nix: Nix,
  config: DeployConfig,
  wanted: Deployment,
  given: Context = context(recorder()),
): Promise<Outcome> {
  const [outcome] = await deploy([wanted], config, nix, given);
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
}
