import { explain, UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { parseChecks } from './checks.ts';
import type { HealthChecks, Overrides, Secret, Target } from './fleet.ts';

/** Settings for a host's target, from a source or from the input `targets`; null and undefined: not set. */
export interface TargetSettings {
  /** False: the host is only built. */
  address?: string | false | null;
  port?: number | null;
  user?: string | null;
  privilegeEscalation?: string[] | null;
  sshOptions?: string[] | null;
  /** Set together with `sshOptions`. */
  sshOptionsFrom?: 'source' | 'targets';
  substituteOnDestination?: boolean | null;
  tags?: string[] | null;
  healthChecks?: Partial<HealthChecks> | null;
  preDeployChecks?: Partial<HealthChecks> | null;
  secrets?: Secret[] | null;
  failedUnits?: Overrides['failedUnits'] | null;
  /** Seconds; 0: no limit. */
  hostTimeout?: number | null;
  offline?: Overrides['offline'] | null;
  /** Setting → why what the source says for it cannot be used. It matters only for a host that is to be deployed. */
  problems?: Readonly<Record<string, string>> | null;
}

/** Settings that a source's adapter gives in their final form; `targets` has no secrets and problems. */
const sourceKeys = ['healthChecks', 'preDeployChecks', 'secrets', 'problems'];

const keys = {
  address: 'a name or address',
  port: 'a number from 1 to 65535',
  user: 'a name',
  privilegeEscalation: 'a list of words, for example ["sudo", "-n"]',
  sshOptions: 'a list of words, for example ["-o", "ConnectTimeout=5"]',
  substituteOnDestination: 'true or false',
  tags: 'a list of words',
  buildOnly: 'true or false',
  failedUnits: '`degrade`, `rollback` or `ignore`',
  hostTimeout: 'a number of seconds; 0 for no limit',
  offline: '`fail` or `skip`',
  healthChecks: 'a mapping with `cmd` and `http`',
  preDeployChecks: 'a mapping with `cmd` and `http`',
} as const;

/**
 * Reads `user@address:port` (user and port are optional, an IPv6 address with a port is written in brackets) or a mapping
 * of settings, which `keys` lists.
 *
 * @param where for error messages, for example "targets.web".
 * @param from the input `targets`, or the source through its adapter, which may also set secrets.
 * @returns the settings; of a source, a value that cannot be used is one of its `problems`.
 * @throws UserError for an unknown key and, from the input, for a value that cannot be used.
 */
export function parseTargetSettings(
  value: unknown,
  where: string,
  from: 'targets' | 'source' = 'targets',
): TargetSettings {
  if (typeof value === 'string') return parseAddress(value, where);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(where, value, '`user@address:port` or a mapping with `address`');
  }
  const settings: TargetSettings = {};
  for (const [key, given] of Object.entries(value as Record<string, unknown>)) {
    if (given === null) continue;
    if (from === 'source' && sourceKeys.includes(key)) {
      Object.assign(settings, { [key]: key === 'problems' ? { ...settings.problems, ...given } : given });
      continue;
    }
    if (!(key in keys)) {
      const meant = nearest(key, Object.keys(keys));
      throw new UserError(`${where} has no setting ${JSON.stringify(key)}.`, {
        where: { input: 'targets' },
        cure: `${meant === null ? '' : `Did you mean ${meant}? `}Known: ${Object.keys(keys).join(', ')}.`,
      });
    }
    try {
      Object.assign(settings, setting(key as keyof typeof keys, given, where));
    } catch (error) {
      if (from === 'targets') throw error;
      settings.problems = { ...settings.problems, [key]: explain(error) };
    }
    if (key === 'sshOptions') settings.sshOptionsFrom = from;
  }
  return settings;
}

function setting(key: keyof typeof keys, value: unknown, where: string): TargetSettings {
  const words = Array.isArray(value) && value.every(word => typeof word === 'string');
  switch (key) {
    case 'address':
      if (typeof value === 'string') return parseAddress(value, `${where}.address`);
      if (value === false) return { address: false };
      break;
    case 'port':
      if (isPort(value)) return { port: value };
      break;
    case 'user':
      if (typeof value === 'string' && isUser(value)) return { user: value };
      break;
    case 'privilegeEscalation':
    case 'sshOptions':
    case 'tags':
      if (words) return { [key]: value };
      break;
    case 'substituteOnDestination':
      if (typeof value === 'boolean') return { substituteOnDestination: value };
      break;
    case 'buildOnly':
      if (typeof value === 'boolean') return value ? { address: false } : {};
      break;
    case 'failedUnits':
      if (value === 'degrade' || value === 'rollback' || value === 'ignore') return { failedUnits: value };
      break;
    case 'hostTimeout':
      if (Number.isInteger(value) && Number(value) >= 0) return { hostTimeout: Number(value) };
      break;
    case 'offline':
      if (value === 'fail' || value === 'skip') return { offline: value };
      break;
    case 'healthChecks':
    case 'preDeployChecks':
      return { [key]: parseChecks(value, `${where}.${key}`) };
  }
  throw wrong(`${where}.${key}`, value, keys[key]);
}

/** Reads `user@address:port`; refuses what ssh would read as an option. */
function parseAddress(text: string, where: string): TargetSettings {
  const match =
    /^(?:([^@\s]+)@)?(?:\[([0-9a-fA-F:.%\w]+)\]|([^@:\s[\]]+)|([0-9a-fA-F]*:[0-9a-fA-F:.%\w]*:[0-9a-fA-F:.%\w]*))(?::(\d+))?$/.exec(
      text,
    );
  const [, user, bracketed, name, bare, port] = match ?? [];
  const address = bracketed ?? name ?? bare;
  if (address === undefined || address.startsWith('-') || (user !== undefined && !isUser(user))) {
    throw wrong(where, text, '`user@address:port`');
  }
  if (port !== undefined && !isPort(Number(port))) throw wrong(where, text, 'a port from 1 to 65535');
  return {
    address,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

function isUser(value: string): boolean {
  return /^[A-Za-z_][\w.-]*\$?$/.test(value);
}

function wrong(where: string, value: unknown, expected: string): UserError {
  return new UserError(`${where} is ${JSON.stringify(value)}.`, {
    where: { input: 'targets' },
    cure: `Write ${expected}.`,
  });
}

/** The port in options of ssh: deploy-rs has no other place for it. */
export function portOf(sshOptions: readonly string[]): number | null {
  for (const [index, word] of sshOptions.entries()) {
    const [, joined] = /^-p(\d+)$/.exec(word) ?? [];
    const [, named] = /^(?:-o)?Port[ =](\d+)$/i.exec(word) ?? [];
    const port = joined ?? named ?? (word === '-p' ? sshOptions[index + 1] : undefined);
    if (port !== undefined && isPort(Number(port))) return Number(port);
  }
  return null;
}

/** The target with these settings; null if there is no address. */
export function targetOf(settings: TargetSettings): Target | null {
  const { address } = settings;
  if (address === undefined || address === null || address === false) return null;
  return {
    address,
    port: settings.port ?? portOf(settings.sshOptions ?? []),
    user: settings.user ?? 'root',
    privilegeEscalation: settings.privilegeEscalation ?? ['sudo', '-n'],
    sshOptions: settings.sshOptions ?? [],
    sshOptionsFrom: settings.sshOptionsFrom ?? 'source',
    substituteOnDestination: settings.substituteOnDestination ?? true,
  };
}

/** Which inputs of the deploy stage have another value for the host. */
export function overridesOf({ failedUnits, hostTimeout, offline }: TargetSettings): Overrides {
  return {
    ...(failedUnits == null ? {} : { failedUnits }),
    ...(hostTimeout == null ? {} : { hostTimeout }),
    ...(offline == null ? {} : { offline }),
  };
}

/** `base` with the settings of `overrides` that are not null, which also solve its problems with these settings. */
export function layer(base: TargetSettings, overrides: TargetSettings): TargetSettings {
  const set = Object.entries(overrides).filter(([, value]) => value !== null);
  const problems = Object.entries(base.problems ?? {}).filter(([key]) => !set.some(([name]) => name === key));
  return {
    ...base,
    ...Object.fromEntries(set),
    ...(base.problems === undefined ? {} : { problems: Object.fromEntries(problems) }),
  };
}

/** Why the target cannot be used; null if it can, or if nothing is deployed to it. */
export function unusable({ address, user, problems }: TargetSettings): string | null {
  if (address === false) return null;
  // Root needs no privilege escalation.
  const relevant = Object.entries(problems ?? {}).filter(([key]) => key !== 'privilegeEscalation' || user !== 'root');
  return relevant.length === 0 ? null : relevant.map(([, problem]) => problem).join(' ');
}
