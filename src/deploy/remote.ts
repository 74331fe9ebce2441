import { activationScript } from '../activation-script.ts';
import type { ExecOptions } from '../exec.ts';
import type { Target } from '../plan/fleet.ts';
import { explainRefusal, gateRequest, throughGate } from './gate.ts';
import type { SignedOrder } from './order.ts';
import { type Reply, type ReplyEvents, replyReader } from './reply.ts';
import type { Session } from './session.ts';

/** A target and the session in which the activation script is called on it. */
export interface Remote {
  alias: string;
  host: string;
  target: Target;
  session: Session;
  /** What the target's gate may activate; null if it has none. */
  order: SignedOrder | null;
}

export interface CallOptions extends Pick<ExecOptions, 'signal' | 'timeout' | 'onStdout'>, ReplyEvents {
  /** Run as root, with the target's privilege escalation. */
  privileged?: boolean;
  /** Use a new connection, not the shared one. */
  fresh?: boolean;
}

let script: string | undefined;

/**
 * Calls a verb of the activation script on a target; `target/activation/main.sh` lists them. The script is sent over
 * standard input, except to a gate, which has its own.
 *
 * @throws CommandError when the connection or the script fails.
 * @throws GateRefusal
 */
export async function call(
  remote: Remote,
  verb: string,
  args: readonly string[],
  { privileged = false, fresh = false, onLog, onPhase, onStdout, ...options }: CallOptions = {},
): Promise<Reply> {
  const { command, input } = throughGate(remote.target)
    ? gateRequest(verb, args, remote.order)
    : scriptCall(remote.target, verb, args, privileged);
  const { reply, read } = replyReader({ onLog, onPhase });
  const onLine = (line: string): void => {
    onStdout?.(line);
    read(line);
  };
  const more = { ...options, fresh, onStdout: onLine, input };
  try {
    await remote.session.ssh(remote.alias, command, more);
  } catch (error) {
    throw explainRefusal(error, remote.target);
  }
  return reply;
}

function scriptCall(
  target: Target,
  verb: string,
  args: readonly string[],
  privileged: boolean,
): { command: string; input: string } {
  script ??= activationScript();
  const escalation = privileged ? escalationOf(target) : [];
  const words = [...escalation, 'sh', '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', verb, ...args];
  return { command: words.map(quote).join(' '), input: script };
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
