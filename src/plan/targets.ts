import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { HealthChecks, Secret, Target } from './fleet.ts';

/** What a source, or the input `targets`, says of where a host runs; null and undefined: nothing said. */
export interface Deployment {
  /** False: only built. */
  address?: string | false | null;
  port?: number | null;
  user?: string | null;
  privilegeEscalation?: string[] | null;
  sshOptions?: string[] | null;
  substituteOnDestination?: boolean | null;
  tags?: string[] | null;
  healthChecks?: Partial<HealthChecks> | null;
  preDeployChecks?: Partial<HealthChecks> | null;
  secrets?: Secret[] | null;
}

/** Words that only a source's adapter says, already in their final form. */
const sourceKeys = ['healthChecks', 'preDeployChecks', 'secrets'];

const keys = {
  address: 'a name or address',
  port: 'a number from 1 to 65535',
  user: 'a name',
  privilegeEscalation: 'a list of words, as ["sudo", "-n"]',
  sshOptions: 'a list of words, as ["-o", "ConnectTimeout=5"]',
  substituteOnDestination: 'true or false',
  tags: 'a list of words',
  buildOnly: 'true or false',
} as const;

/**
 * Reads `user@address:port` (user and port may be left out, an IPv6 address with a port stands in brackets) or a mapping
 * of these words: address, port, user, privilegeEscalation, sshOptions, substituteOnDestination, tags, buildOnly.
 *
 * @param where said in an error, as "targets.web".
 * @param from the input `targets`, or the source by way of its adapter, which may say checks and secrets too.
 * @throws UserError for a word that is none of them, and for a value of another kind.
 */
export function parseDeployment(value: unknown, where: string, from: 'targets' | 'source' = 'targets'): Deployment {
  if (typeof value === 'string') return parseAddress(value, where);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(where, value, '`user@address:port` or a mapping with `address`');
  }
  const deployment: Deployment = {};
  for (const [key, given] of Object.entries(value as Record<string, unknown>)) {
    if (given === null) continue;
    if (from === 'source' && sourceKeys.includes(key)) {
      Object.assign(deployment, { [key]: given });
      continue;
    }
    if (!(key in keys)) {
      const meant = nearest(key, Object.keys(keys));
      throw new UserError(`${where} has no setting ${JSON.stringify(key)}.`, {
        where: { input: 'targets' },
        cure: `${meant === null ? '' : `Did you mean ${meant}? `}Known: ${Object.keys(keys).join(', ')}.`,
      });
    }
    Object.assign(deployment, setting(key as keyof typeof keys, given, where));
  }
  return deployment;
}

function setting(key: keyof typeof keys, value: unknown, where: string): Deployment {
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
  }
  throw wrong(`${where}.${key}`, value, keys[key]);
}

/** `user@address:port`; what ssh would take for an option is refused. */
function parseAddress(text: string, where: string): Deployment {
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

/** A port among words for ssh, as deploy-rs has nowhere else to write it. */
export function portOf(sshOptions: readonly string[]): number | null {
  for (const [index, word] of sshOptions.entries()) {
    const [, joined] = /^-p(\d+)$/.exec(word) ?? [];
    const [, named] = /^(?:-o)?Port[ =](\d+)$/i.exec(word) ?? [];
    const port = joined ?? named ?? (word === '-p' ? sshOptions[index + 1] : undefined);
    if (port !== undefined && isPort(Number(port))) return Number(port);
  }
  return null;
}

/** The target that a source's word and the input's, which stands above it, make together; null when nothing says where. */
export function targetOf(deployment: Deployment): Target | null {
  const { address } = deployment;
  if (address === undefined || address === null || address === false) return null;
  return {
    address,
    port: deployment.port ?? portOf(deployment.sshOptions ?? []),
    user: deployment.user ?? 'root',
    privilegeEscalation: deployment.privilegeEscalation ?? ['sudo', '-n'],
    sshOptions: deployment.sshOptions ?? [],
    substituteOnDestination: deployment.substituteOnDestination ?? true,
  };
}

/** `above` over `below`, word by word; a word that is null in `above` is not said. */
export function layer(below: Deployment, above: Deployment): Deployment {
  return { ...below, ...Object.fromEntries(Object.entries(above).filter(([, value]) => value !== null)) };
}
