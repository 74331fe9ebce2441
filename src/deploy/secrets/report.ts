import type { Mode } from '../outcome.ts';
import type { ReadSecret } from './content.ts';

/** What became of a host's secrets, or would: their names, never their contents. */
export interface SecretReport {
  /** Written, because content, owner or mode differed; of a dry run: those that would be. */
  changed: string[];
  unchanged: string[];
  /** On a file system in memory: a reboot removes them. */
  volatile: string[];
  /** Not compared, because a dry run does not read their sources. */
  unknown: string[];
}

/** The report of what the target has done, by the numbers that it answered. */
export function reportOf(
  secrets: readonly ReadSecret[],
  changed: readonly number[],
  volatile: readonly number[],
): SecretReport {
  const named = (wanted: (number: number) => boolean): string[] =>
    secrets.flatMap(({ secret }, index) => (wanted(index + 1) ? [secret.name] : []));
  return {
    changed: named(number => changed.includes(number)),
    unchanged: named(number => !changed.includes(number)),
    volatile: named(number => volatile.includes(number)),
    unknown: [],
  };
}

/** The numbers in an answer of the target, separated by spaces. */
export function numbersIn(answer: string | undefined): number[] {
  return (answer ?? '').split(' ').filter(Boolean).map(Number);
}

/** What a report says that a message needs, as sentences that begin with a space; empty if nothing. */
export function secretSentences({ changed, volatile }: SecretReport, mode: Mode): string {
  const dry = mode === 'dry-activate';
  const sent =
    changed.length === 0 ? '' : ` ${dry ? 'Secrets that would be sent' : 'Secrets sent'}: ${changed.join(', ')}.`;
  return `${sent}${dry || volatile.length === 0 ? '' : ` ${volatileSentence(volatile)}`}`;
}

/** What to do after a reboot. */
export function volatileSentence(volatile: readonly string[]): string {
  return `A reboot removes these secrets, and \`ferry secrets\` sends them again: ${volatile.join(', ')}.`;
}
