import { CommandError } from '../errors.ts';
import type { Target } from '../plan/fleet.ts';
import type { SignedOrder } from './order.ts';
import { encode, fieldLines, type Value, valueLines } from './values.ts';

/** The user of a target whose keys may only speak to its gate (target/gate/gate.sh). */
export const gateUser = 'nix-ferry';

/** Of the gate's protocol. The gate refuses any other. */
const protocol = 1;

/** What the gate exits with when it refuses. */
const refusalCode = 77;

/** A shell's exit code for a command that does not exist. */
const notFoundCode = 127;

/** Whether the user of the target can only speak to its gate. */
export function throughGate({ user }: Pick<Target, 'user'>): boolean {
  return user === gateUser;
}

/** The command for a verb of the gate. */
export function gateCommand(verb: string, ...words: readonly string[]): string {
  return ['nix-ferry-gate', protocol, verb, ...words].join(' ');
}

/** A target's gate did not do what it was asked for. Nothing was changed by that. */
export class GateRefusal extends Error {
  override name = 'GateRefusal';
}

/** The refusal of a gate, if this is what the error of a command on a target means; any other error as it is. */
export function explainRefusal(error: unknown, { address, user }: Pick<Target, 'address' | 'user'>): unknown {
  if (!(error instanceof CommandError)) return error;
  const why = refusalIn(error.stderr);
  if (error.code === refusalCode && why !== null) {
    const hint =
      user === gateUser
        ? ''
        : ` The key is restricted: write \`${gateUser}@${address}\`, if the module of the target has made that user.`;
    return new GateRefusal(`The gate of ${address} refused: ${why}.${hint}`);
  }
  if (user === gateUser && error.code === notFoundCode) {
    const cure = 'Set `services.nix-ferry.gate` there, or use another user.';
    return new GateRefusal(`${address} has no gate, which the user ${gateUser} is for. ${cure}`);
  }
  return error;
}

/** Why a gate has refused, by what it printed to standard error; null if it has not. */
export function refusalIn(stderr: string): string | null {
  return /^nix-ferry-gate: (.*)$/m.exec(stderr)?.[1] ?? null;
}

/** Keys of `run` that only the order may set, or what was staged. */
const ordered = ['toplevel', 'host', 'commit', 'repository', 'branch', 'committed', 'allow-older', 'secrets'];

/**
 * A call of the activation script's verbs as a request to the gate: its command, and its standard input.
 *
 * @param args as for the script.
 * @param order what the verb `run` may activate.
 */
export function gateRequest(
  verb: string,
  args: readonly string[],
  order: SignedOrder | null,
): { command: string; input: string } {
  const [id = '', ...rest] = args;
  switch (verb) {
    case 'probe':
      return { command: gateCommand(verb), input: valueLines([]) };
    case 'run':
      return { command: gateCommand(verb, id), input: valueLines(runValues(rest, order)) };
    case 'reject':
      return { command: gateCommand(verb, id), input: valueLines([['reason', encode(rest.join(' '))]]) };
    case 'compare':
      return { command: gateCommand(verb, id), input: valueLines(orderValues(order)) };
    default:
      return { command: gateCommand(verb, ...args), input: valueLines([]) };
  }
}

const isCheck = /^(check|health)-\d/;

/** The text that the order contains the digest of, from `KEY=VALUE`. */
export function checkLines(checks: readonly string[]): string {
  return fieldLines(checks.map(word => [split(word)[0], encode(split(word)[1])]));
}

function split(word: string): [key: string, value: string] {
  const at = word.indexOf('=');
  return [word.slice(0, at), word.slice(at + 1)];
}

/** Text in the characters that a gate accepts. */
export function plain(text: string): string {
  return text.replaceAll(/[^\]A-Za-z0-9 ._/:@#()[+,-]/g, '_').slice(0, 300);
}

function runValues(spec: readonly string[], order: SignedOrder | null): Value[] {
  const checks = spec.filter(word => isCheck.test(word));
  const values = spec.flatMap((word): Value[] => {
    const [name, text] = split(word);
    if (ordered.includes(name) || isCheck.test(word)) return [];
    return [[name, encode(name === 'who' ? plain(text) : text)]];
  });
  if (checks.length > 0) values.push(['checks', encode(checkLines(checks))]);
  return [...values, ...orderValues(order)];
}

/** The values in which a gate gets an order; none without one. */
export function orderValues(order: SignedOrder | null): Value[] {
  if (order === null) return [];
  const { path, hash, size, signature, nar } = order;
  const entry = Object.entries({ path, hash, size: String(size), signature });
  return [...entry.map(([name, text]): Value => [`order.${name}`, encode(text)]), ['order.nar', nar]];
}
