import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import type { Exec, ExecOptions, ExecResult } from '../exec.ts';
import { type Agent, startAgent } from './agent.ts';
import { checkPins } from './known-hosts.ts';
import { type AliasedTarget, renderSshConfig } from './ssh-config.ts';

/** What all connections of a run share: the agent, the pinned keys and ssh's configuration. */
export interface Session {
  /** For NIX_SSHOPTS; holds no space. */
  sshOptions: string;
  /** The public half of the deploy key; null when the user's own keys serve. */
  publicKey: string | null;
  /** Runs `command`, words that need no quoting in any shell or are quoted, on the target; `input` is its standard input. */
  ssh(alias: string, command: string, options?: ExecOptions & { fresh?: boolean }): Promise<ExecResult>;
  close(): Promise<void>;
}

const record = 'deploy-session.json';

/**
 * Makes the directory of a session and starts its agent.
 *
 * @param key the checked deploy key; null: the user's own agent and keys serve.
 * @param knownHosts the checked text.
 * @throws UserError for what cannot be given to ssh.
 */
export async function openSession(
  targets: readonly AliasedTarget[],
  key: string | null,
  knownHosts: string,
  context: Context,
): Promise<Session> {
  const directory = await shortDirectory(context.scratch);
  const control = join(directory, 'c');
  const config = join(directory, 'config');
  let agent: Agent | null = null;
  const disconnect = (): Promise<unknown> =>
    Promise.all(targets.map(({ alias }) => endMaster(config, alias, context.exec)));
  // A client of a shared connection passes a signal on and stays; it ends at once when the connection does.
  context.signal.addEventListener('abort', disconnect, { once: true });
  const close = async (): Promise<void> => {
    context.signal.removeEventListener('abort', disconnect);
    await disconnect();
    await agent?.end();
    await rm(directory, { recursive: true, force: true });
    await rm(join(context.scratch, record), { force: true });
  };
  try {
    await mkdir(control, { mode: 0o700 });
    await writeFile(join(directory, 'known_hosts'), knownHosts);
    if (key !== null) agent = await startAgent(key, directory, context);
    await writeFile(join(context.scratch, record), JSON.stringify({ directory, agent: agent?.pid ?? null }));
    const paths = { agent: agent?.socket ?? null, knownHosts: join(directory, 'known_hosts'), control };
    await writeFile(config, renderSshConfig(targets, paths, context.log.warning));
    await checkPins(targets, config, paths.knownHosts, context.query);
  } catch (error) {
    await close();
    if (!(error instanceof CommandError) || error.failure.kind !== 'missing') throw error;
    throw new UserError(`\`${error.command[0]}\` is not on this machine, which a deployment goes through.`, {
      cure: 'Install the OpenSSH client (on Debian and Ubuntu: `apt-get install openssh-client`).',
      cause: error,
    });
  }
  return {
    sshOptions: `-F ${config}`,
    publicKey: agent?.publicKey ?? null,
    ssh: (alias, command, { fresh = false, ...options } = {}) =>
      context.exec('ssh', ['-F', config, ...(fresh ? ['-o', 'ControlPath=none'] : []), '-T', alias, command], options),
    close,
  };
}

/** For post: ends what a killed run left behind in its scratch directory. Never throws. */
export async function endLeftSession(scratch: string, exec: Exec): Promise<void> {
  let left: { directory: string; agent: number | null };
  try {
    left = JSON.parse(await readFile(join(scratch, record), 'utf8'));
  } catch {
    return;
  }
  const config = join(left.directory, 'config');
  const aliases = await readdir(join(left.directory, 'c')).catch(() => []);
  await Promise.all(aliases.map(alias => endMaster(config, alias, exec)));
  try {
    // The number may be another process's by now.
    const name = left.agent === null ? '' : await readFile(`/proc/${left.agent}/comm`, 'utf8');
    if (left.agent !== null && name.trim() === 'ssh-agent') process.kill(left.agent, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
  await rm(left.directory, { recursive: true, force: true });
  await rm(join(scratch, record), { force: true });
}

/** Ends a shared connection with all that runs over it on this side. */
async function endMaster(config: string, alias: string, exec: Exec): Promise<void> {
  await exec('ssh', ['-F', config, '-O', 'exit', alias], { timeout: 5_000 }).catch(() => undefined);
}

// A socket's path has at most 108 bytes (unix(7)), and ssh adds 17 while it makes one; NIX_SSHOPTS is split at spaces and
// ssh expands `%`. So a long or unusual scratch directory does not serve.
async function shortDirectory(scratch: string): Promise<string> {
  const fits = (parent: string): boolean => parent.length <= 50 && /^[A-Za-z0-9/_.-]+$/.test(parent);
  const parent = [scratch, tmpdir(), '/tmp'].find(fits) ?? '/tmp';
  return mkdtemp(join(parent, 'ssh-'));
}

/** True when ssh itself failed, not the command it ran (ssh(1), EXIT STATUS). */
export function isConnectionError(error: unknown): error is CommandError {
  return error instanceof CommandError && error.code === 255;
}
