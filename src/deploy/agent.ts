import { join } from 'node:path';
import type { Context } from '../context.ts';
import { exitedWithFailure, UserError } from '../errors.ts';

/** An ssh-agent of our own that holds one key and lives no longer than this process. */
export interface Agent {
  socket: string;
  pid: number;
  /** The public half of its key, as `ssh-ed25519 AAAA…`. */
  publicKey: string;
  end(): Promise<void>;
}

// ssh-agent that is given a command ends within 10 s of that command's end (ssh-agent(1)); this command ends with the
// process whose id it is given, so that the key is gone even after a SIGKILL of ours.
const followParent = 'echo "$SSH_AGENT_PID"; while kill -0 "$1" 2>/dev/null; do sleep 1 >&- 2>&-; done';

/**
 * Starts an ssh-agent with its socket in `directory` and gives it `key` over standard input: the key is never on disk and
 * never in an argument list.
 *
 * @throws UserError when ssh-add does not take the key.
 */
export async function startAgent(key: string, directory: string, context: Context): Promise<Agent> {
  const socket = join(directory, 'agent');
  const stopped = new AbortController();
  let started: (pid: number) => void = () => undefined;
  const pid = new Promise<number>(resolve => {
    started = resolve;
  });
  const running = context
    .exec('ssh-agent', ['-a', socket, 'sh', '-c', followParent, 'sh', String(process.pid)], {
      onStdout: line => started(Number(line)),
      signal: stopped.signal,
    })
    .then(() => null)
    .catch((error: unknown) => error)
    .finally(() => started(0));

  const known = await pid;
  if (known === 0) throw (await running) ?? new Error('ssh-agent did not start');
  const end = async (): Promise<void> => {
    try {
      process.kill(known, 'SIGTERM');
    } catch {
      // It has ended already.
    }
    stopped.abort();
    await running;
  };
  try {
    // Without a terminal and with an askpass that fails, ssh-add cannot wait for a passphrase.
    const env = { ...context.environment, SSH_AUTH_SOCK: socket, SSH_ASKPASS: 'false', SSH_ASKPASS_REQUIRE: 'force' };
    await context.exec('ssh-add', ['-q', '-'], { input: key, env, timeout: 20_000 });
    const { stdout } = await context.exec('ssh-add', ['-L'], { env, timeout: 20_000 });
    const publicKey = stdout.trim().split(' ').slice(0, 2).join(' ');
    return { socket, pid: known, publicKey, end };
  } catch (error) {
    await end();
    if (!exitedWithFailure(error)) throw error;
    throw new UserError('The deploy key is not a private key that OpenSSH can read.', {
      where: { input: 'deploy-key' },
      cure: 'Give the whole text of an unencrypted private key, as `ssh-keygen -t ed25519 -N "" -f deploy-key` writes it.',
      cause: error,
    });
  }
}
