import { readFileSync } from 'node:fs';
import { asset } from '../assets.ts';
import { explainRefusal, gateCommand, throughGate } from '../deploy/gate.ts';
import type { Remote } from '../deploy/remote.ts';
import { readAnswer } from './answer.ts';
import type { MachineDescription } from './description.ts';

let script: string | undefined;

/**
 * The script with which a machine describes itself, as one text: what a key that may only describe runs as its forced
 * command.
 */
export function describeScript(): string {
  const files = ['target/activation/boot-loader.sh', 'target/activation/look.sh', 'target/describe.sh'];
  return files.map(file => readFileSync(asset(file), 'utf8')).join('');
}

/**
 * Has a target describe itself, over one connection and without root. The script is sent over standard input, except
 * to a gate, which has its own. Nothing is written on the target.
 *
 * @returns null if the target does not run NixOS.
 * @throws CommandError if there is no connection; GateRefusal; AnswerError if what comes back is no description.
 */
export async function describeTarget(
  { session, alias, target }: Pick<Remote, 'session' | 'alias' | 'target'>,
  signal: AbortSignal,
): Promise<MachineDescription | null> {
  if (throughGate(target)) {
    const answer = session.ssh(alias, gateCommand('describe'), { signal, timeout: 120_000 });
    return readAnswer((await answer.catch(error => Promise.reject(explainRefusal(error, target)))).stdout);
  }
  script ??= describeScript();
  const command = `sh -c 'self=$(cat) && eval "$self"' nix-ferry describe`;
  const { stdout } = await session.ssh(alias, command, { input: script, signal, timeout: 120_000 });
  return readAnswer(stdout);
}
