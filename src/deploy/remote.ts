import { readFileSync } from 'node:fs';
import { asset } from '../assets.ts';
import type { ExecOptions } from '../exec.ts';
import type { Target } from '../plan/fleet.ts';
import { type Answers, readAnswers } from './answers.ts';
import type { Session } from './session.ts';

/** Calls verbs of `target/activate.sh` on one target. */
export interface Remote {
  alias: string;
  host: string;
  target: Target;
  session: Session;
}

export interface CallOptions extends Pick<ExecOptions, 'signal' | 'timeout'> {
  /** As root, with the target's own way there. */
  privileged?: boolean;
  /** Over a connection of its own, not the shared one. */
  fresh?: boolean;
  /** Called with each line of the activation's log. */
  onLog?: (line: string) => void;
}

let script: string | undefined;

/** @throws CommandError when the connection or the script fails. */
export async function call(
  remote: Remote,
  verb: string,
  args: readonly string[],
  { privileged = false, fresh = false, onLog, ...options }: CallOptions = {},
): Promise<Answers> {
  script ??= readFileSync(asset('target/activate.sh'), 'utf8');
  const escalation = privileged ? escalationOf(remote.target) : [];
  const { answers, take } = readAnswers();
  const onStdout = (line: string): void => {
    const known = answers.log.length;
    take(line);
    if (answers.log.length > known) onLog?.(line.slice(2));
  };
  const words = [...escalation, 'sh', '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', verb, ...args];
  await remote.session.ssh(remote.alias, words.map(quote).join(' '), { ...options, fresh, onStdout, input: script });
  return answers;
}

/** The words before a command that needs root. */
export function escalationOf(target: Target): readonly string[] {
  return target.user === 'root' ? [] : target.privilegeEscalation;
}

/** A word for the target's login shell, whichever it is: single quotes mean the same in sh, fish and csh. */
function quote(word: string): string {
  if (/^[A-Za-z0-9_./:@%+,-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\"'\"'")}'`;
}
