import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { HealthChecks } from './fleet.ts';

/** A field of a check: what is expected, and the value if it is not set; without one it is required. */
interface Field {
  expected: string;
  fits(value: unknown): boolean;
  default?: unknown;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isSeconds = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 1;
const isTextMap = (value: unknown): boolean => isMapping(value) && Object.values(value).every(isText);

const seconds = (preset: number): Field => ({ expected: 'a number of seconds', fits: isSeconds, default: preset });
const description: Field = { expected: 'what it checks, in words', fits: isText };

/** The fields and defaults of morph's checks (its data/options.nix, a529f37). */
const fields: Record<keyof HealthChecks, Record<string, Field>> = {
  cmd: {
    description,
    cmd: {
      expected: 'a list of words, for example ["systemctl", "is-active", "nginx"]',
      fits: value => Array.isArray(value) && value.length > 0 && value.every(isText),
    },
    period: seconds(2),
    timeout: seconds(5),
  },
  http: {
    description,
    host: { expected: 'a name or address', fits: isText, default: null },
    scheme: { expected: '`http` or `https`', fits: value => value === 'http' || value === 'https', default: 'http' },
    port: {
      expected: 'a number from 1 to 65535',
      fits: value => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535,
    },
    path: { expected: 'a path that begins with `/`', fits: value => /^\//.test(String(value)), default: '/' },
    headers: { expected: 'a mapping of words', fits: isTextMap, default: {} },
    period: seconds(2),
    timeout: seconds(5),
    insecureSSL: { expected: 'true or false', fits: value => typeof value === 'boolean', default: false },
  },
};

/**
 * Reads `healthChecks` or `preDeployChecks` of the input `targets`, which are written as morph's: a mapping with the lists
 * `cmd` (commands on the target) and `http` (requests of the runner).
 *
 * @param where for error messages, for example "targets.web.healthChecks".
 * @throws UserError for an unknown key, and for a value that is missing or cannot be used.
 */
export function parseChecks(value: unknown, where: string): HealthChecks {
  if (!isMapping(value)) throw wrong(where, value, 'a mapping with the lists `cmd` and `http`');
  for (const key of Object.keys(value)) if (!(key in fields)) throw unknown(where, key, Object.keys(fields));
  const lists = Object.entries(fields).map(([kind, of]) => {
    const given = value[kind] ?? [];
    if (!Array.isArray(given)) throw wrong(`${where}.${kind}`, given, 'a list');
    return [kind, given.map((check, index) => parseCheck(check, of, `${where}.${kind}[${index}]`))];
  });
  return Object.fromEntries(lists) as HealthChecks;
}

function parseCheck(value: unknown, of: Record<string, Field>, where: string): Record<string, unknown> {
  if (!isMapping(value)) throw wrong(where, value, `a mapping with ${Object.keys(of).join(', ')}`);
  for (const key of Object.keys(value)) if (!(key in of)) throw unknown(where, key, Object.keys(of));
  const read = Object.entries(of).map(([key, field]) => {
    const given = value[key] ?? null;
    if (given === null && 'default' in field) return [key, field.default];
    if (!field.fits(given)) throw wrong(`${where}.${key}`, given, field.expected);
    return [key, given];
  });
  return Object.fromEntries(read);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknown(where: string, key: string, known: readonly string[]): UserError {
  const meant = nearest(key, known);
  return new UserError(`${where} has no setting ${JSON.stringify(key)}.`, {
    where: { input: 'targets' },
    cure: `${meant === null ? '' : `Did you mean ${meant}? `}Known: ${known.join(', ')}.`,
  });
}

function wrong(where: string, value: unknown, expected: string): UserError {
  const problem = value === null ? 'is missing' : `is ${JSON.stringify(value)}`;
  return new UserError(`${where} ${problem}.`, { where: { input: 'targets' }, cure: `Write ${expected}.` });
}
