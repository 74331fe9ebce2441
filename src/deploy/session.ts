import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context, Query } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import type { Exec, ExecOptions, ExecResult } from '../exec.ts';
import { type Agent, endAgent, startAgent } from './agent.ts';
import { checkHostKeys, hostKeyName } from './known-hosts.ts';
import { type AliasedTarget, hostName, ownOptions, renderSshConfig } from './ssh-config.ts';

/** What all connections of a run share: the agent, the pinned host keys and ssh's configuration. */
export interface Session {
  /** For NIX_SSHOPTS, which Nix splits at spaces. */
  sshOptions: string;
  /** The public half of the deploy key; null when the user's own keys are used. */
  publicKey: string | null;
  /** By alias, the name under which ssh looks for the target's host key, if the user's own settings are used. */
  keyNames: ReadonlyMap<string, string>;
  /**
   * Runs a command on a target. The words of `command` are quoted for the login shell already.
   *
   * @throws CommandError
   */
  ssh(alias: string, command: string, options?: ExecOptions & { fresh?: boolean }): Promise<ExecResult>;
  /**
   * Ends the shared connection of a target, and all that uses it: a client of a shared connection forwards a signal and
   * keeps running.
   */
  disconnect(alias: string): Promise<void>;
  close(): Promise<void>;
}

const record = 'deploy-session.json';

/** Options of a connection that shares nothing and is tried again soon if it does not come about. */
const alone = ['-o', 'ControlPath=none', '-o', 'ConnectTimeout=10'];

/**
 * Creates the directory of a session and starts its agent.
 *
 * @param key the checked deploy key; null: the user's own agent and keys are used.
 * @param knownHosts the checked text; null: the user's own known_hosts and ssh_config are used.
 * @throws UserError for a target or key that cannot be passed to ssh, and for a target without a pinned host key.
 */
export async function openSession(
  targets: readonly AliasedTarget[],
  key: string | null,
  knownHosts: string | null,
  context: Context,
): Promise<Session> {
  const directory = await shortDirectory(context.scratch);
  const config = join(directory, 'config');
  let agent: Agent | null = null;
  let keyNames: ReadonlyMap<string, string>;
  const disconnect = (): Promise<unknown> =>
    Promise.all(targets.map(({ alias }) => endMaster(config, alias, context.exec)));
  const close = async (): Promise<void> => {
    await disconnect();
    await agent?.end();
    await rm(directory, { recursive: true, force: true });
    await rm(join(context.scratch, record), { force: true });
  };
  try {
    if (key !== null) agent = await startAgent(key, directory, context);
    await writeFile(join(context.scratch, record), JSON.stringify({ directory, agent: agent?.pid ?? null }));
    keyNames = await writeSessionFiles(directory, targets, agent?.socket ?? null, knownHosts, context);
  } catch (error) {
    await close();
    throw explainMissingProgram(error);
  }
  return {
    sshOptions: `-F ${config}`,
    publicKey: agent?.publicKey ?? null,
    keyNames,
    ssh: (alias, command, { fresh = false, ...options } = {}) =>
      context.exec('ssh', ['-F', config, ...(fresh ? alone : []), '-T', alias, command], options),
    disconnect: alias => endMaster(config, alias, context.exec),
    close,
  };
}

/** Writes ssh's files, then checks that each target has a pinned host key. @returns `keyNames` of the session */
async function writeSessionFiles(
  directory: string,
  targets: readonly AliasedTarget[],
  agent: string | null,
  pinned: string | null,
  { query, log }: Context,
): Promise<ReadonlyMap<string, string>> {
  const [config = '', knownHosts = '', control = ''] = ['config', 'known_hosts', 'c'].map(name =>
    join(directory, name),
  );
  await mkdir(control, { mode: 0o700 });
  if (pinned === null) {
    const own = await Promise.all(targets.map(target => withOwnOptions(target, query)));
    await writeFile(config, renderSshConfig(own, { agent, knownHosts: null, control }, log.warning));
    const named = own.map(
      ({ alias, target, own: lines }) => [alias, hostKeyName(lines.join('\n')) ?? target.address] as const,
    );
    return new Map(named);
  }
  await writeFile(knownHosts, pinned);
  await writeFile(config, renderSshConfig(targets, { agent, knownHosts, control }, log.warning));
  await checkHostKeys(targets, config, knownHosts, query);
  return new Map();
}

/** With what the user's own ssh_config says about the address, which may be a name from there. */
async function withOwnOptions(aliased: AliasedTarget, query: Query): Promise<AliasedTarget & { own: string[] }> {
  const { stdout } = await query('ssh', ['-G', '--', hostName(aliased.target.address, aliased.host)]);
  return { ...aliased, own: ownOptions(stdout) };
}

/** The session of targets that are this machine: commands are run without SSH. */
export function localSession({ exec }: Pick<Context, 'exec'>): Session {
  return {
    sshOptions: '',
    publicKey: null,
    keyNames: new Map(),
    ssh: (_alias, command, { fresh: _, ...options } = {}) => exec('sh', ['-c', command], options),
    disconnect: async () => undefined,
    close: async () => undefined,
  };
}

function explainMissingProgram(error: unknown): unknown {
  if (!(error instanceof CommandError) || error.failure.kind !== 'missing') return error;
  return new UserError(`\`${error.command[0]}\` is not installed on this machine, but a deployment needs it.`, {
    cure: 'Install the OpenSSH client (on Debian and Ubuntu: `apt-get install openssh-client`).',
    cause: error,
  });
}

/** For the post step: ends what a killed run left behind, as recorded in its scratch directory. Never throws. */
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
  if (left.agent !== null) {
    // The number may belong to another process by now.
    const name = await readFile(`/proc/${left.agent}/comm`, 'utf8').catch(() => '');
    if (name.trim() === 'ssh-agent') await endAgent(left.agent);
  }
  await rm(left.directory, { recursive: true, force: true });
  await rm(join(scratch, record), { force: true });
}

/** Ends a shared connection and everything on this machine that uses it. */
async function endMaster(config: string, alias: string, exec: Exec): Promise<void> {
  await exec('ssh', ['-F', config, '-O', 'exit', alias], { timeout: 5_000 }).catch(() => undefined);
}

// A socket's path has at most 108 bytes (unix(7)), and ssh adds 17 while it creates one; NIX_SSHOPTS is split at spaces, and
// ssh expands `%`. So a long or unusual scratch directory cannot be used.
async function shortDirectory(scratch: string): Promise<string> {
  const fits = (parent: string): boolean => parent.length <= 50 && /^[A-Za-z0-9/_.-]+$/.test(parent);
  const parent = [scratch, tmpdir(), '/tmp'].find(fits) ?? '/tmp';
  return mkdtemp(join(parent, 'ssh-'));
}

/** True when ssh itself failed, not the command that it ran (ssh(1), EXIT STATUS). */
export function isConnectionError(error: unknown): error is CommandError {
  return error instanceof CommandError && error.code === 255;
}
