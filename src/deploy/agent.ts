import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { CommandError, exitedWithFailure, UserError } from '../errors.ts';

/** An ssh-agent of Nix Ferry's own that holds one key. It ends with this process at the latest. */
export interface Agent {
  socket: string;
  pid: number;
  /** The public half of its key, as `ssh-ed25519 AAAA…`. */
  publicKey: string;
  /** Resolves when the agent is gone, and the key with it. */
  end(): Promise<void>;
}

// When ssh-agent is given a command, it ends within 10 s after that command (ssh-agent(1)). This command ends with the
// process whose id it is given, so the key is gone even if Nix Ferry is killed with SIGKILL.
const followParent = 'echo "$SSH_AGENT_PID"; while kill -0 "$1" 2>/dev/null; do sleep 1 >&- 2>&-; done';

/**
 * Starts an ssh-agent with its socket in `directory` and passes it `key` over standard input: the key is never on disk and
 * never passed as an argument.
 *
 * @param limit milliseconds for the agent to start.
 * @throws UserError when ssh-add does not accept the key. @throws CommandError when the agent does not start.
 */
export async function startAgent(key: string, directory: string, context: Context, limit = 30_000): Promise<Agent> {
  const socket = join(directory, 'agent');
  const { pid, stop } = await launch(socket, context, limit);
  const end = async (): Promise<void> => {
    await endAgent(pid);
    await stop();
  };
  try {
    return { socket, pid, publicKey: await addKey(key, socket, context), end };
  } catch (error) {
    await end();
    if (!exitedWithFailure(error)) throw error;
    throw new UserError('OpenSSH cannot read the deploy key.', {
      where: { input: 'deploy-key' },
      cure: 'Give the whole text of an unencrypted private key, as `ssh-keygen -t ed25519 -N "" -f deploy-key` writes it.',
      cause: error,
    });
  }
}

/** Starts the agent; `stop` ends the command that keeps it running. */
async function launch(
  socket: string,
  context: Context,
  limit: number,
): Promise<{ pid: number; stop: () => Promise<void> }> {
  const stopped = new AbortController();
  let started: (pid: number) => void = () => undefined;
  const announced = new Promise<number>(resolve => {
    started = resolve;
  });
  const command = context
    .exec('ssh-agent', ['-a', socket, 'sh', '-c', followParent, 'sh', String(process.pid)], {
      onStdout: line => started(Number(line)),
      // It says nothing for as long as the run takes.
      stall: 0,
      signal: stopped.signal,
    })
    .then(() => null)
    .catch((error: unknown) => error)
    .finally(() => started(0));
  const slow = setTimeout(() => stopped.abort(), limit);
  const pid = await announced;
  clearTimeout(slow);
  if (pid === 0 && stopped.signal.aborted) {
    throw new CommandError(['ssh-agent'], { kind: 'timeout', milliseconds: limit }, '');
  }
  if (pid === 0) throw (await command) ?? new Error('ssh-agent did not start');
  const stop = async (): Promise<void> => {
    stopped.abort();
    await command;
  };
  return { pid, stop };
}

/** @returns the public half of the key. */
async function addKey(key: string, socket: string, context: Context): Promise<string> {
  // Without a terminal and with an askpass program that fails, ssh-add cannot wait for a passphrase.
  const env = { ...context.environment, SSH_AUTH_SOCK: socket, SSH_ASKPASS: 'false', SSH_ASKPASS_REQUIRE: 'force' };
  await context.exec('ssh-add', ['-q', '-'], { input: key, env, timeout: 20_000 });
  const { stdout } = await context.exec('ssh-add', ['-L'], { env, timeout: 20_000 });
  return stdout.trim().split(' ').slice(0, 2).join(' ');
}

/** Kills an agent and waits until it is gone. It has no state to save, so it is not asked to end: it might be stopped. */
export async function endAgent(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
  // It ends at once, unless the kernel itself is stuck.
  for (let tries = 0; tries < 1_000 && (await isRunning(pid)); tries++) await sleep(5);
}

/** False also for a process that has ended but that its parent has not waited for: it has no command line. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => 'unknown')) !== '';
}
