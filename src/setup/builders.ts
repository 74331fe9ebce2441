import { parse as parseYaml } from 'yaml';
import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { formatSshConfig } from '../ssh-config.ts';

/** A machine that builds for this one. */
export interface Builder {
  /** `ssh-ng` or `ssh`: how Nix speaks to it. */
  protocol: 'ssh-ng' | 'ssh';
  address: string;
  user: string | null;
  port: number | null;
  systems: string[];
  /** A private key as text, or the path of one; null: the job's agent. */
  key: { text: string } | { file: string } | null;
  /** As in known_hosts without the name: `ssh-ed25519 AAAA…`. */
  hostKey: string;
  jobs: number;
  speed: number;
  features: string[];
  mandatoryFeatures: string[];
}

/**
 * Reads the input `builders`: Nix's machines format (one line a machine, or `;` between them), or a YAML list.
 *
 * @throws UserError for the first that is wrong; a builder without its host key is.
 */
export function parseBuilders(text: string): Builder[] {
  const lines = text
    .split(/[\n;]/)
    .map(line => line.replace(/(^|\s)#.*$/, '').trim())
    .filter(line => line !== '');
  if (
    lines.length > 0 &&
    lines.every(
      line => /^(?:ssh(?:-ng)?:\/\/)?[^\s:{[-][^\s]*(?:\s+\S+)*$/.test(line) && !/^[\w-]+:(?:\s|$)/.test(line),
    )
  ) {
    return lines.map(fromMachinesLine);
  }
  let parsed: unknown;
  try {
    parsed = parseYaml(text);
  } catch (error) {
    throw wrong(`is neither in Nix's machines format nor YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  const list = Array.isArray(parsed) ? parsed : [parsed];
  return list.map(each => fromYaml(each));
}

/** Columns of the machines format: Nix manual, "Distributed builds". */
function fromMachinesLine(line: string): Builder {
  const [
    uri = '',
    systems = '-',
    keyFile = '-',
    jobs = '1',
    speed = '1',
    features = '-',
    mandatory = '-',
    hostKey = '-',
  ] = line.split(/\s+/);
  const words = (column: string): string[] => (column === '-' ? [] : column.split(',').filter(word => word !== ''));
  const named = (column: string): string | null => (column === '-' ? null : column);
  const key = named(keyFile);
  return checked({
    host: uri,
    systems: words(systems),
    ...(key === null ? {} : { 'key-file': key }),
    jobs: named(jobs) === null ? 1 : Number(jobs),
    speed: named(speed) === null ? 1 : Number(speed),
    features: words(features),
    'mandatory-features': words(mandatory),
    ...(named(hostKey) === null ? {} : { 'host-key': Buffer.from(hostKey, 'base64').toString().trim() }),
  });
}

const fields = [
  'host',
  'user',
  'port',
  'systems',
  'key',
  'key-file',
  'host-key',
  'jobs',
  'speed',
  'features',
  'mandatory-features',
] as const;
type Fields = Partial<Record<(typeof fields)[number], unknown>>;

function fromYaml(each: unknown): Builder {
  if (typeof each !== 'object' || each === null || Array.isArray(each)) {
    throw wrong(`has an entry that is no mapping: ${JSON.stringify(each)}.`);
  }
  for (const field of Object.keys(each)) {
    if ((fields as readonly string[]).includes(field)) continue;
    const meant = nearest(field, fields);
    throw wrong(
      `has the unknown field '${field}'.`,
      meant === null ? `It takes ${fields.join(', ')}.` : `Did you mean ${meant}?`,
    );
  }
  return checked(each as Fields);
}

function checked(given: Fields): Builder {
  const [, scheme, user, bracketed, plain, port] =
    /^(?:(ssh|ssh-ng):\/\/)?(?:([\w.$-]+)@)?(?:\[([0-9a-fA-F:]+)\]|([\w.%-]+|[0-9a-fA-F:]+))(?::(\d+))?$/.exec(
      String(given.host ?? ''),
    ) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined || address.startsWith('-')) {
    throw wrong(
      `has the host '${String(given.host ?? '')}'.`,
      'Write it as ssh-ng://user@address or user@address:port.',
    );
  }
  const list = (name: 'systems' | 'features' | 'mandatory-features'): string[] => {
    const value = given[name] ?? [];
    const words = Array.isArray(value) ? value : String(value).split(/[\s,]+/);
    if (!words.every(word => typeof word === 'string' && /^[\w-]+$/.test(word))) {
      throw wrong(`has for ${address} ${name} that are none: ${JSON.stringify(value)}.`);
    }
    return words as string[];
  };
  const positive = (name: 'jobs' | 'speed'): number => {
    const value = given[name] ?? 1;
    if (typeof value === 'number' && value > 0 && (name === 'speed' || Number.isInteger(value))) return value;
    throw wrong(`has for ${address} ${name} that are no positive number: ${JSON.stringify(value)}.`);
  };
  const systems = list('systems');
  if (systems.length === 0) throw wrong(`names no system for ${address}.`, 'Write it as aarch64-linux.');
  const givenPort = given.port ?? (port === undefined ? null : Number(port));
  if (
    givenPort !== null &&
    !(typeof givenPort === 'number' && Number.isInteger(givenPort) && givenPort > 0 && givenPort < 65_536)
  ) {
    throw wrong(`has for ${address} the port ${JSON.stringify(givenPort)}.`);
  }
  const givenUser = given.user ?? user ?? null;
  if (givenUser !== null && !(typeof givenUser === 'string' && /^[A-Za-z0-9_][\w.$-]*$/.test(givenUser))) {
    throw wrong(`has for ${address} the user ${JSON.stringify(givenUser)}.`);
  }
  return {
    protocol: scheme === 'ssh' ? 'ssh' : 'ssh-ng',
    address,
    user: givenUser,
    port: givenPort,
    systems,
    key: keyOf(given, address),
    hostKey: hostKeyOf(given, address),
    jobs: positive('jobs'),
    speed: positive('speed'),
    features: list('features'),
    mandatoryFeatures: list('mandatory-features'),
  };
}

function keyOf(given: Fields, address: string): Builder['key'] {
  const { key, 'key-file': file } = given;
  if (key !== undefined && file !== undefined) throw wrong(`has for ${address} both key and key-file.`);
  if (typeof key === 'string' && /^-----BEGIN [A-Z ]*PRIVATE KEY-----$/m.test(key)) return { text: `${key.trim()}\n` };
  if (key !== undefined)
    throw wrong(`has for ${address} a key that is no private SSH key.`, 'Write the whole text of it.');
  if (typeof file === 'string' && file.startsWith('/') && !/[\n"]/.test(file)) return { file };
  if (file !== undefined) throw wrong(`has for ${address} a key-file that is no absolute path.`);
  return null;
}

function hostKeyOf(given: Fields, address: string): string {
  const text = String(given['host-key'] ?? '').trim();
  const cure = `Get it on the machine itself, from /etc/ssh/ssh_host_ed25519_key.pub, or compare what \`ssh-keyscan ${address}\` prints with it.`;
  if (text === '') throw wrong(`pins no host key for ${address}.`, cure);
  // A whole line of known_hosts has the name in front, one of a .pub file a comment behind.
  const found = /(?:^|\s)((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+ [A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(text)?.[1];
  if (found === undefined) throw wrong(`has for ${address} a host key that is none.`, cure);
  return found;
}

function wrong(message: string, cure?: string): UserError {
  return new UserError(`input 'builders' ${message}`, {
    where: { input: 'builders' },
    ...(cure === undefined ? {} : { cure }),
  });
}

/** What the names of the machines are to ssh and Nix: the address where it tells them apart. */
export function aliases(builders: readonly Builder[]): string[] {
  return builders.map(({ address }, index) => {
    const once = builders.filter(other => other.address === address).length === 1;
    return once && !address.includes(':') ? address : `builder-${index + 1}`;
  });
}

/** The files that the daemon reads, by name; `directory` is where they will lie. */
export function builderFiles(builders: readonly Builder[], directory: string): Record<string, string> {
  const names = aliases(builders);
  const at = <T>(list: readonly T[], index: number): T => list[index] as T;
  const keys = builders.flatMap(({ key }, index) =>
    key !== null && 'text' in key ? [[`key-${index + 1}`, key.text] as const] : [],
  );
  const hosts = builders.map(({ address, user, port, key }, index) => {
    const identity = key === null ? null : 'text' in key ? `${directory}/key-${index + 1}` : key.file;
    const alias = at(names, index);
    const options = [
      `HostName ${address}`,
      `HostKeyAlias ${alias}`,
      ...(user === null ? [] : [`User ${user}`]),
      ...(port === null ? [] : [`Port ${port}`]),
      ...(identity === null ? [] : [`IdentityFile "${identity}"`, 'IdentitiesOnly yes', 'IdentityAgent none']),
    ];
    return { alias, options };
  });
  return {
    ...Object.fromEntries(keys),
    known_hosts: builders.map(({ hostKey }, index) => `${at(names, index)} ${hostKey}\n`).join(''),
    ssh_config: formatSshConfig({ knownHosts: `${directory}/known_hosts`, hosts }),
    machines: machinesLines(builders)
      .map(line => `${line}\n`)
      .join(''),
  };
}

/** Nix's machines format. Key, port and host key are ssh's business: see `ssh_config`. */
export function machinesLines(builders: readonly Builder[]): string[] {
  const names = aliases(builders);
  const column = (words: readonly string[]): string => (words.length === 0 ? '-' : words.join(','));
  return builders.map(({ protocol, systems, jobs, speed, features, mandatoryFeatures }, index) =>
    [
      `${protocol}://${names[index]}`,
      column(systems),
      '-',
      jobs,
      speed,
      column([...new Set([...features, ...mandatoryFeatures])]),
      column(mandatoryFeatures),
      '-',
    ].join(' '),
  );
}
