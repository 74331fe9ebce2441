import { randomBytes } from 'node:crypto';
import { existsSync, statfsSync } from 'node:fs';
import type { Context } from '../context.ts';
import { CommandError, explain } from '../errors.ts';
import { type SetupPorts, type SetupRun, stateKey } from './config.ts';
import { asRoot } from './root.ts';

/** Names a new run, and saves the name before anything is created with it. */
export function newRun(ports: SetupPorts): SetupRun {
  const directory = `${memory()}/nix-ferry-${randomBytes(8).toString('hex')}`;
  const run = { directory };
  ports.saveState(stateKey, JSON.stringify(run));
  return run;
}

/** A directory in memory, so that no key or token is ever written to a disk; /run if there is none. */
function memory(): string {
  return ['/run', '/dev/shm'].find(directory => isMemory(directory)) ?? '/run';
}

function isMemory(directory: string): boolean {
  const tmpfs = 0x01021994; // TMPFS_MAGIC of linux/magic.h
  try {
    return statfsSync(directory).type === tmpfs;
  } catch {
    return false;
  }
}

/**
 * Removes everything that the set-up left: daemon, registrations, keys, tokens, files. Software stays: Nix with its store, a
 * package of the distribution, and the nixbld accounts, which a concurrent job may be using and no one can log in to.
 * Never throws; a failure is a warning.
 *
 * @param state what was saved under `stateKey`; nothing is done if it is empty.
 */
export async function teardown(state: string | undefined, context: Context): Promise<void> {
  if (state === undefined || state === '') return;
  try {
    const run = parseRun(state);
    if (!existsSync(run.directory)) return;
    let ended = false;
    while (!ended) {
      // A second Ctrl-C may reach it before it starts to ignore that.
      ended = await asRoot(context, run, 'end').then(
        () => true,
        error => {
          if (error instanceof CommandError && error.failure.kind === 'signal' && error.failure.signal === 'SIGINT')
            return false;
          throw error;
        },
      );
    }
  } catch (error) {
    context.log.warning(`The files and processes of Nix's set-up could not be removed: ${explain(error)}`);
  }
}

function parseRun(state: string): SetupRun {
  const parsed = JSON.parse(state) as Partial<SetupRun> | null;
  if (typeof parsed?.directory !== 'string' || !/^\/(run|dev\/shm)\/nix-ferry-[0-9a-f]{16}$/.test(parsed.directory)) {
    throw new Error('the saved state names no run');
  }
  return { directory: parsed.directory };
}
