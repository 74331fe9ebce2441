import { parse as parseYaml } from 'yaml';
import { UserError } from './errors.ts';
import { nearest } from './nearest.ts';

/** One input of the action, which is also one flag of the command line. */
export interface Input<T> {
  /** The text that is read when the user gives none. */
  default: string;
  /** One or two sentences in Markdown, shown in `action.yml`, in the README and by `--help`. */
  description: string;
  /** Masked in logs and never accepted as an argument. */
  secret: boolean;
  /** Usually many lines: its flag accepts `@FILE`. */
  long: boolean;
  /** The accepted words, if only these are accepted. */
  words: readonly string[];
  /** @throws UserError whose message continues the input's name ("is not YAML"), unless it has a place of its own. */
  read: (text: string) => T;
}

/** Inputs by their names in camelCase. */
export type Inputs = Readonly<Record<string, Input<unknown>>>;

/** What a group of inputs yields when it has been read: the type of a stage's configuration. */
export type Values<G extends Inputs> = { -readonly [K in keyof G]: ReturnType<G[K]['read']> };

/** Declares an input. */
export function input<T>(
  value: string,
  description: string,
  read: ((text: string) => T) & { words?: readonly string[] },
  kind: 'plain' | 'secret' | 'long' = 'plain',
): Input<T> {
  const words = read.words ?? [];
  return { default: value, description, read, secret: kind === 'secret', long: kind === 'long', words };
}

/** The name that users write: `nixVersion` is `nix-version`. */
export function kebabCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

/** Any text, as it is. */
export function verbatim(text: string): string {
  return text;
}

/** Trimmed; null if there is only white space. */
export function optional(text: string): string | null {
  return text.trim() === '' ? null : text.trim();
}

/** Not trimmed, because OpenSSH refuses a key without its last newline; null if there is only white space. */
export function secretText(text: string): string | null {
  return text.trim() === '' ? null : text;
}

/** Words separated by commas or lines. */
export function list(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map(each => each.trim())
    .filter(each => each !== '');
}

/** Words separated by white space. */
export function words(text: string): string[] {
  return text.split(/\s+/).filter(word => word !== '');
}

export function oneOf<const T extends string>(
  ...accepted: readonly T[]
): ((text: string) => T) & { words: readonly T[] } {
  const read = (text: string): T => {
    const word = accepted.find(each => each === text.trim());
    if (word !== undefined) return word;
    const meant = nearest(text.trim(), accepted);
    const cure = meant === null ? {} : { cure: `Did you mean ${meant}?` };
    throw new UserError(`'${text.trim()}' is not one of ${accepted.join(', ')}.`, cure);
  };
  return Object.assign(read, { words: accepted });
}

export function yesOrNo(text: string): boolean {
  const word = text.trim().toLowerCase();
  if (word === 'true' || word === 'yes') return true;
  if (word === 'false' || word === 'no') return false;
  throw new UserError(`'${text.trim()}' is not true or false.`);
}

export function integer(least: number, most: number): (text: string) => number {
  return text => {
    const value = /^\d{1,9}$/.test(text.trim()) ? Number(text.trim()) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new UserError(`'${text.trim()}' is not a whole number from ${least} to ${most}.`);
  };
}

export function seconds(text: string): number {
  const [, digits, unit] = /^(\d{1,6})\s*(s|m|h)?$/.exec(text.trim()) ?? [];
  const value = Number(digits) * ({ m: 60, h: 3600 }[unit ?? ''] ?? 1);
  if (value >= 1 && value <= 86_400) return value;
  throw new UserError(`'${text.trim()}' is not a time from 1 second to 24 hours.`, {
    cure: 'Write seconds, or a number with a unit: 30, 30s, 5m or 1h.',
  });
}

/** As `seconds`, and 0. */
export function secondsOrNone(text: string): number {
  return text.trim() === '0' ? 0 : seconds(text);
}

/** A mapping in YAML, and so in JSON too; empty if there is only white space. */
export function mapping(text: string, cure: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  let parsed: unknown;
  try {
    parsed = parseYaml(text);
  } catch (error) {
    throw new UserError(`not valid YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw new UserError('not a mapping.', { cure });
}
