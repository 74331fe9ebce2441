import { readFileSync } from 'node:fs';
import { asset } from '../assets.ts';
import type { ExecOptions } from '../exec.ts';
import type { Target } from '../plan/fleet.ts';
import { type Reply, replyReader } from './reply.ts';
import type { Session } from './session.ts';

/** A target and the session in which `target/activate.sh` is called on it. */
export interface Remote {
  alias: string;
  host: string;
  target: Target;
  session: Session;
}

export interface CallOptions extends Pick<ExecOptions, 'signal' | 'timeout'> {
  /** Run as root, with the target's privilege escalation. */
  privileged?: boolean;
  /** Use a new connection, not the shared one. */
  fresh?: boolean;
  /** Called with each line of the activation's log. */
  onLog?: (line: string) => void;
}

let script: string | undefined;

/**
 * Runs a verb of `target/activate.sh` on a target. The script is sent over standard input.
 *
 * @throws CommandError when the connection or the script fails.
 */
export async function call(
  remote: Remote,
  verb: string,
  args: readonly string[],
  { privileged = false, fresh = false, onLog, ...options }: CallOptions = {},
): Promise<Reply> {
  script ??= readFileSync(asset('target/activate.sh'), 'utf8');
  const escalation = privileged ? escalationOf(remote.target) : [];
  const { reply, read } = replyReader();
  const onStdout = (line: string): void => {
    const known = reply.log.length;
    read(line);
    for (const logged of reply.log.slice(known)) onLog?.(logged);
  };
  const words = [...escalation, 'sh', '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', verb, ...args];
  await remote.session.ssh(remote.alias, words.map(quote).join(' '), { ...options, fresh, onStdout, input: script });
  return reply;
}

/** The words to put before a command that needs root. */
export function escalationOf(target: Target): readonly string[] {
  return target.user === 'root' ? [] : target.privilegeEscalation;
}

/** Quotes a word for any login shell: single quotes mean the same in sh, fish and csh. */
function quote(word: string): string {
  if (/^[A-Za-z0-9_./:@%+,-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\"'\"'")}'`;
}
