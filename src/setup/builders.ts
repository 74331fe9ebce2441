import { parse as parseYaml } from 'yaml';
import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { formatSshConfig } from '../ssh-config.ts';

/** A remote builder. */
export interface Builder {
  /** The protocol that Nix uses: `ssh-ng` or `ssh`. */
  protocol: 'ssh-ng' | 'ssh';
  address: string;
  user: string | null;
  port: number | null;
  systems: string[];
  /** The text of a private key, or the path of one; null: the ssh-agent of the job. */
  key: { text: string } | { file: string } | null;
  /** As in known_hosts, without the name: `ssh-ed25519 AAAA…`. */
  hostKey: string;
  jobs: number;
  speed: number;
  features: string[];
  mandatoryFeatures: string[];
}

/**
 * Reads the input `builders`: Nix's machines format (one line per machine, or separated by `;`), or a YAML list.
 *
 * @throws UserError for the first builder that is wrong or has no host key.
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
    throw wrong(`neither Nix's machines format nor YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  const list = Array.isArray(parsed) ? parsed : [parsed];
  return list.map(each => fromYaml(each));
}

/** The columns of the machines format: Nix manual, "Distributed builds". */
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
    throw wrong(`an entry is not a mapping: ${JSON.stringify(each)}.`);
  }
  for (const field of Object.keys(each)) {
    if ((fields as readonly string[]).includes(field)) continue;
    const meant = nearest(field, fields);
    throw wrong(
      `unknown field '${field}'.`,
      meant === null ? `The fields are ${fields.join(', ')}.` : `Did you mean ${meant}?`,
    );
  }
  return checked(each as Fields);
}

function checked(given: Fields): Builder {
  const { protocol, address, ...uri } = hostOf(given);
  const systems = listOf(given, 'systems', address);
  if (systems.length === 0) throw wrong(`${address} has no system.`, 'Write one such as aarch64-linux.');
  return {
    protocol,
    address,
    user: userOf(given.user ?? uri.user, address),
    port: portOf(given.port ?? uri.port, address),
    systems,
    key: keyOf(given, address),
    hostKey: hostKeyOf(given, address),
    jobs: numberOf(given, 'jobs', address),
    speed: numberOf(given, 'speed', address),
    features: listOf(given, 'features', address),
    mandatoryFeatures: listOf(given, 'mandatory-features', address),
  };
}

/** `ssh-ng://user@address:port`, of which only the address is required. */
function hostOf(given: Fields): Pick<Builder, 'protocol' | 'address' | 'user' | 'port'> {
  const [, scheme, user, bracketed, plain, port] =
    /^(?:(ssh|ssh-ng):\/\/)?(?:([\w.$-]+)@)?(?:\[([0-9a-fA-F:]+)\]|([\w.%-]+|[0-9a-fA-F:]+))(?::(\d+))?$/.exec(
      String(given.host ?? ''),
    ) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined || address.startsWith('-')) {
    throw wrong(
      `the host '${String(given.host ?? '')}' is not an address.`,
      'Write it as ssh-ng://user@address or user@address:port.',
    );
  }
  return {
    protocol: scheme === 'ssh' ? 'ssh' : 'ssh-ng',
    address,
    user: user ?? null,
    port: port === undefined ? null : Number(port),
  };
}

function userOf(value: unknown, address: string): string | null {
  if (value === null) return null;
  if (typeof value === 'string' && /^[A-Za-z0-9_][\w.$-]*$/.test(value)) return value;
  throw wrong(`user of ${address} is not a user name: ${JSON.stringify(value)}.`);
}

function portOf(value: unknown, address: string): number | null {
  if (value === null) return null;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536) return value;
  throw wrong(`port of ${address} is not a port number: ${JSON.stringify(value)}.`);
}

function listOf(given: Fields, name: 'systems' | 'features' | 'mandatory-features', address: string): string[] {
  const value = given[name] ?? [];
  const words = Array.isArray(value) ? value : String(value).split(/[\s,]+/);
  if (words.every(word => typeof word === 'string' && /^[\w-]+$/.test(word))) return words as string[];
  throw wrong(`${name} of ${address} is not a list of names: ${JSON.stringify(value)}.`);
}

function numberOf(given: Fields, name: 'jobs' | 'speed', address: string): number {
  const value = given[name] ?? 1;
  if (typeof value === 'number' && value > 0 && (name === 'speed' || Number.isInteger(value))) return value;
  throw wrong(`${name} of ${address} is not a positive number: ${JSON.stringify(value)}.`);
}

function keyOf(given: Fields, address: string): Builder['key'] {
  const { key, 'key-file': file } = given;
  if (key !== undefined && file !== undefined) throw wrong(`${address} has both key and key-file.`);
  if (typeof key === 'string' && /^-----BEGIN [A-Z ]*PRIVATE KEY-----$/m.test(key)) return { text: `${key.trim()}\n` };
  if (key !== undefined) throw wrong(`key of ${address} is not a private SSH key.`, 'Copy the whole text of the file.');
  if (typeof file === 'string' && file.startsWith('/') && !/[\n"]/.test(file)) return { file };
  if (file !== undefined) throw wrong(`key-file of ${address} is not an absolute path.`);
  return null;
}

function hostKeyOf(given: Fields, address: string): string {
  const text = String(given['host-key'] ?? '').trim();
  const cure = `Copy it from /etc/ssh/ssh_host_ed25519_key.pub on that machine, or compare the output of \`ssh-keyscan ${address}\` with that file.`;
  if (text === '') throw wrong(`${address} has no host key.`, cure);
  // A line of known_hosts has the name before the key, a .pub file has a comment after it.
  const key = /(?:^|\s)((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+ [A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(text)?.[1];
  if (key === undefined) throw wrong(`host-key of ${address} is not a host key.`, cure);
  return key;
}

function wrong(message: string, cure?: string): UserError {
  return new UserError(`input 'builders': ${message}`, {
    where: { input: 'builders' },
    ...(cure === undefined ? {} : { cure }),
  });
}

/** The machines' names for ssh and Nix: the address if it is unique. */
export function aliases(builders: readonly Builder[]): string[] {
  return builders.map(({ address }, index) => {
    const once = builders.filter(other => other.address === address).length === 1;
    return once && !address.includes(':') ? address : `builder-${index + 1}`;
  });
}

/** The files that the daemon reads, by name; `directory` is where they will be. */
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

/** Nix's machines format. Keys, ports and host keys are in `ssh_config` instead. */
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
