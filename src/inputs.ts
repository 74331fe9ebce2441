import { resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { modes } from './deploy/outcome.ts';
import { UserError } from './errors.ts';
import { nearest } from './nearest.ts';
import { formatNames } from './plan/formats/index.ts';
import { parseTargetSettings } from './plan/targets.ts';

/**
 * Every input of the action, which is every flag of the command line: its default, what it means, how it is read.
 *
 * The one place where they are written; `action.yml`, the README's tables and `--help` are made from it or checked
 * against it. A `secret` is masked in logs and never taken from an argument list.
 */
export const inputs = {
  source: input(
    '.',
    'The folder of the repository that holds the configuration, or its files, separated by commas or lines.',
    text => text,
  ),
  format: input('auto', 'How the configuration is written.', oneOf('auto', ...formatNames)),
  attribute: input('', 'Attribute path, where the format needs one.', optional),
  arguments: input(
    '',
    'YAML: arguments of a NixOps network or an expression that is a function, as `--arg` and `--argstr` give them.',
    text => mapping(text, 'Write a line `name: value` for each argument.'),
  ),
  hosts: input(
    '',
    'Names, globs and `@tags`, separated by commas or lines; `!x` leaves out. All hosts where empty.',
    list,
  ),
  system: input('', 'System of the hosts whose configuration does not say it, as `aarch64-linux`.', optional),
  nixpkgs: input(
    '',
    'Pinned nixpkgs for a source that brings none: a locked flake reference, or a file of the source that pins it.',
    optional,
  ),
  'nixpkgs-pin': input(
    'error',
    'What an unpinned nixpkgs is: an `error`, or a thing to `warn` of.',
    oneOf('error', 'warn'),
  ),
  mode: input('none', 'What to do on the targets.', oneOf(...modes)),
  archive: input('delta', 'What goes into the archives: `delta`, `full` or `none`.', oneOf('delta', 'full', 'none')),
  'include-source': input('false', 'Put the configuration and its nixpkgs beside the system in the archive.', yesOrNo),
  from: input(
    '',
    'Archives to deploy instead of building: a folder, `run` for the artifacts of this run, or the number of another.',
    origin,
  ),
  'trusted-public-keys': input(
    '',
    "Public keys in Nix's form, one of which must have signed each archive that is deployed.",
    text => text.split(/\s+/).filter(key => key !== ''),
  ),
  targets: input('', 'YAML: host to `user@address:port`, or to a mapping. Where empty, what the source says.', targets),
  'deploy-key': input('', 'Private SSH key for the targets, held by an agent.', secretText, 'secret'),
  'known-hosts': input('', "The targets' SSH host keys, as `ssh-keyscan` prints them.", optional),
  'signing-key': input(
    '',
    "Private key in Nix's form `name:base64` that signs the archives and what is kept in the Actions cache.",
    secretText,
    'secret',
  ),
  'nix-version': input(
    '',
    'Nix to install where none is found: `version` or `version@sha256:…`; `system` takes only what is there.',
    optional,
  ),
  'nix-source': input('', 'Mirror (URL prefix) or local tarball that Nix is installed from.', optional),
  'nix-conf': input('', 'Lines for nix.conf.', text => text),
  emulate: input(
    'auto',
    'Emulation of other systems: when needed (`auto`), `never`, or `always`.',
    oneOf('auto', 'never', 'always'),
  ),
  qemu: input(
    '',
    "A static qemu to emulate with instead of the distribution's: `path@sha256:…` or `URL@sha256:…`.",
    pinned,
  ),
  builders: input('', "Remote builders, in Nix's machines format or as YAML.", optional),
  cache: input(
    'auto',
    'Keep plans, and what no public cache has, in the Actions cache; needs `signing-key`.',
    oneOf('auto', 'never'),
  ),
  parallel: input('10', 'How many targets are deployed to at once.', integer(1, 1000)),
  canary: input(
    '',
    'How many targets go first, a number or a percentage; the others follow when all of these succeed.',
    share,
  ),
  'max-failures': input(
    '0',
    'How many targets may fail, not counting unreachable ones, before no further one is begun.',
    integer(0, 100_000),
  ),
  'confirm-timeout': input(
    '30',
    'Seconds in which a target must be reached again after its connection was cut.',
    seconds,
  ),
  'health-timeout': input(
    '120',
    'Seconds in which the health checks of a target must succeed (they are read from the source, and not run yet).',
    seconds,
  ),
  'github-token': input(
    '',
    'Token for private flake inputs, artifacts of other runs and the comment.',
    secretText,
    'secret',
  ),
  comment: input('false', 'Keep a comment with the plan on the pull request; needs `github-token`.', yesOrNo),
} as const;

export type InputName = keyof typeof inputs;

/** All inputs, read and checked. */
export type Config = { [K in InputName]: ReturnType<(typeof inputs)[K]['read']> };

interface Input<T> {
  default: string;
  description: string;
  secret: boolean;
  /** @throws UserError without a place, which the caller adds. */
  read: (text: string) => T;
  /** Words it takes, where these are all. */
  words: readonly string[];
}

function input<T>(
  value: string,
  description: string,
  read: ((text: string) => T) & { words?: readonly string[] },
  secret?: 'secret',
): Input<T> {
  return { default: value, description, read, secret: secret === 'secret', words: read.words ?? [] };
}

/**
 * Reads what was given, `undefined` or the empty text standing for the default.
 *
 * @param given by name; names that are no inputs are refused.
 * @param called what the user calls an input: `input 'mode'` or `--mode`.
 * @throws UserError for the first that is wrong, with its name, what it takes and the nearest match.
 */
export function readInputs(
  given: Readonly<Record<string, string | undefined>>,
  called: (name: string) => string,
  allowed: readonly InputName[] = Object.keys(inputs) as InputName[],
): Config {
  for (const name of Object.keys(given)) {
    if (!(allowed as readonly string[]).includes(name)) throw unknownInput(name, allowed, called);
  }
  const entries = (Object.keys(inputs) as InputName[]).map(name => {
    const { read, default: fallback } = inputs[name];
    const text = given[name]?.trim() ? (given[name] ?? '') : fallback;
    try {
      return [name, read(text)];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const details = error.cure === undefined ? {} : { cure: error.cure };
      // What names its place itself (`targets.pi.port`) is left as it is.
      const message = error.where === undefined ? `${called(name)} ${error.message}` : error.message;
      throw new UserError(message, { where: { input: name }, ...details });
    }
  });
  return checkTogether(Object.fromEntries(entries) as Config, called);
}

/** The error for a name that is not among `allowed`, with the one that was most likely meant. */
export function unknownInput(name: string, allowed: readonly string[], called: (name: string) => string): UserError {
  const elsewhere = name in inputs ? ' here; other steps take it' : '';
  const meant = elsewhere === '' ? nearest(name, allowed) : null;
  return new UserError(`There is no ${called(name)}${elsewhere}.`, {
    where: { input: name },
    cure: meant === null ? `There are: ${allowed.join(', ')}.` : `Did you mean ${called(meant)}?`,
  });
}

/** What the runner set: `INPUT_<NAME>`, upper case, spaces turned to underscores, dashes kept (actions/runner). */
export function inputsOfRunner(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env)
      .filter(([key, value]) => key.startsWith('INPUT_') && value !== undefined && value !== '')
      .map(([key, value]) => [key.slice('INPUT_'.length).toLowerCase(), value ?? '']),
  );
}

function checkTogether(config: Config, called: (name: string) => string): Config {
  if (config.comment && config['github-token'] === null) {
    throw new UserError(`${called('comment')} needs ${called('github-token')}.`, {
      where: { input: 'github-token' },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's, for the user to write
      cure: 'Write `github-token: ${{ github.token }}` and give the job the permission `pull-requests: write`.',
    });
  }
  return config;
}

function optional(text: string): string | null {
  return text.trim() === '' ? null : text.trim();
}

function secretText(text: string): string | null {
  return text.trim() === '' ? null : text;
}

function list(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map(each => each.trim())
    .filter(each => each !== '');
}

function oneOf<const T extends string>(...words: readonly T[]): ((text: string) => T) & { words: readonly T[] } {
  const read = (text: string): T => {
    const word = words.find(each => each === text.trim());
    if (word !== undefined) return word;
    const meant = nearest(text.trim(), words);
    throw new UserError(`is '${text.trim()}', and takes ${words.join(', ')}.`, {
      ...(meant === null ? {} : { cure: `Did you mean ${meant}?` }),
    });
  };
  return Object.assign(read, { words });
}

function yesOrNo(text: string): boolean {
  const word = text.trim().toLowerCase();
  if (word === 'true' || word === 'yes') return true;
  if (word === 'false' || word === 'no') return false;
  throw new UserError(`is '${text.trim()}', and takes true or false.`);
}

function integer(least: number, most: number): (text: string) => number {
  return text => {
    const value = /^\d{1,9}$/.test(text.trim()) ? Number(text.trim()) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new UserError(`is '${text.trim()}', and takes a whole number from ${least} to ${most}.`);
  };
}

function seconds(text: string): number {
  const [, digits, unit] = /^(\d{1,6})\s*(s|m|h)?$/.exec(text.trim()) ?? [];
  const value = Number(digits) * ({ m: 60, h: 3600 }[unit ?? ''] ?? 1);
  if (value >= 1 && value <= 86_400) return value;
  throw new UserError(`is '${text.trim()}', and takes a time from 1 second to 24 hours, as 30, 30s, 5m or 1h.`);
}

/** A number of hosts, or a part of them as a number from 0 to 1; null: none. */
function share(text: string): { hosts: number } | { part: number } | null {
  if (text.trim() === '') return null;
  const [, digits, percent] = /^(\d{1,5})(%)?$/.exec(text.trim()) ?? [];
  const value = Number(digits);
  if (percent === undefined && value >= 1) return { hosts: value };
  if (percent !== undefined && value >= 1 && value <= 100) return { part: value / 100 };
  throw new UserError(`is '${text.trim()}', and takes a number of targets, as 1, or a percentage, as 10%.`);
}

/** A path or URL with the hash of what is there; null where nothing is said. */
function pinned(text: string): { source: string; sha256: string } | null {
  if (text.trim() === '') return null;
  const [, source, sha256] = /^(.+)@sha256:([0-9a-f]{64})$/.exec(text.trim()) ?? [];
  if (source !== undefined && sha256 !== undefined) return { source, sha256 };
  throw new UserError(
    `is '${text.trim()}', and takes a path or URL with its hash, as /opt/qemu@sha256: and 64 hex digits.`,
  );
}

/** A folder, or the number of a run; null: this run. */
function origin(text: string): { directory: string } | { run: number | null } | null {
  const word = text.trim();
  if (word === '') return null;
  if (word === 'run') return { run: null };
  return /^\d+$/.test(word) ? { run: Number(word) } : { directory: resolve(word) };
}

function targets(text: string): Record<string, unknown> {
  const parsed = mapping(text, 'Write a line `host: user@address:port` for each host.');
  // Only checked here, before anything runs; the plan stage lays it over what the source says.
  for (const [host, value] of Object.entries(parsed)) parseTargetSettings(value, `targets.${host}`);
  return parsed;
}

/** A mapping in YAML, and so in JSON too. */
function mapping(text: string, cure: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  let parsed: unknown;
  try {
    parsed = parseYaml(text);
  } catch (error) {
    throw new UserError(`is not YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  if (!isMapping(parsed)) throw new UserError('is not a mapping.', { cure });
  return parsed;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
