import { activationScript } from '../activation-script.ts';
import type { ExecOptions } from '../exec.ts';
import type { Target } from '../plan/fleet.ts';
import { type Reply, type ReplyEvents, replyReader } from './reply.ts';
import type { Session } from './session.ts';

/** A target and the session in which the activation script is called on it. */
export interface Remote {
  alias: string;
  host: string;
  target: Target;
  session: Session;
}

export interface CallOptions extends Pick<ExecOptions, 'signal' | 'timeout'>, ReplyEvents {
  /** Run as root, with the target's privilege escalation. */
  privileged?: boolean;
  /** Use a new connection, not the shared one. */
  fresh?: boolean;
}

let script: string | undefined;

/**
 * Calls a verb of the activation script on a target; `target/activation/main.sh` lists them. The script is sent over
 * standard input.
 *
 * @throws CommandError when the connection or the script fails.
 */
export async function call(
  remote: Remote,
  verb: string,
  args: readonly string[],
  { privileged = false, fresh = false, onLog, onPhase, ...options }: CallOptions = {},
): Promise<Reply> {
  script ??= activationScript();
  const escalation = privileged ? escalationOf(remote.target) : [];
  const { reply, read } = replyReader({ onLog, onPhase });
  const words = [...escalation, 'sh', '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', verb, ...args];
  const more = { ...options, fresh, onStdout: read, input: script };
  await remote.session.ssh(remote.alias, words.map(quote).join(' '), more);
  return reply;
}

/** The words to put before a command that needs root. */
export function escalationOf(target: Target): readonly string[] {
  return target.user === 'root' ? [] : target.privilegeEscalation;
}

/** Quotes a word for any login shell: single quotes mean the same in sh, fish and csh. */
export function quote(word: string): string {
  if (/^[A-Za-z0-9_./:@%+,-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\"'\"'")}'`;
}
