import { UserError } from '../errors.ts';
import type { Target } from '../plan/fleet.ts';
import { formatSshConfig } from '../ssh-config.ts';
import { checkSourceOptions } from './source-options.ts';

/** A target and the name under which ssh and Nix connect to it. */
export interface AliasedTarget {
  alias: string;
  host: string;
  target: Target;
  /** The user's own settings for the target, as lines of ssh_config(5). */
  own?: readonly string[];
}

export interface SshPaths {
  /** The socket of the agent that holds the deploy key; null: the user's own agent and keys are used. */
  agent: string | null;
  /** The file of the pinned host keys; null: the user's own known_hosts and settings are used. */
  knownHosts: string | null;
  /** Directory for the sockets of shared connections. Must be short: a socket's path has at most 108 bytes. */
  control: string;
}

/**
 * The ssh_config file that Nix Ferry and `nix copy` use, with one block for each target. Each target has an alias, so that
 * names, addresses and options need not survive Nix's splitting of NIX_SSHOPTS.
 *
 * @throws UserError for an address, user, port or option that cannot be passed to ssh.
 */
export function renderSshConfig(
  targets: readonly AliasedTarget[],
  paths: SshPaths,
  warn: (text: string) => void,
): string {
  return formatSshConfig({
    knownHosts: paths.knownHosts,
    pinned: paths.agent === null ? [] : [`IdentityAgent ${paths.agent}`],
    hosts: targets.map(({ alias, host, target, own = [] }) => ({
      alias,
      options: [
        ...(own.length > 0 ? [] : [`HostName ${hostName(target.address, host)}`]),
        `User ${user(target.user, host)}`,
        ...(target.port === null ? [] : [`Port ${port(target.port, host)}`]),
        'ControlMaster auto',
        `ControlPath ${paths.control}/%n`,
        'ControlPersist 60',
        ...checkSourceOptions(options(target.sshOptions, host, warn), host, target),
        ...own.filter(option => paths.agent === null || !/^(identity|certificate)/.test(option)),
      ],
    })),
    defaults: paths.agent === null ? [] : ['IdentityFile none'],
  });
}

/** Checks targets before anything is built. @throws UserError as `renderSshConfig` */
export function checkSshTargets(targets: readonly Omit<AliasedTarget, 'alias'>[]): void {
  const paths = { agent: null, knownHosts: null, control: '' };
  renderSshConfig(
    targets.map(each => ({ ...each, alias: each.host })),
    paths,
    () => undefined,
  );
}

/** What `ssh -G` prints of a user's settings that say where a machine is and how it is reached. */
const ownSettings =
  /^(hostname|port|identityfile|identitiesonly|certificatefile|identityagent|proxyjump|proxycommand|hostkeyalias|userknownhostsfile|globalknownhostsfile|addressfamily|bindaddress) (?!none$)/;

/** The user's own settings for an address, of those that `ssh -G` printed. */
export function ownOptions(printed: string): string[] {
  return printed.split('\n').filter(line => ownSettings.test(line));
}

export function hostName(address: string, host: string): string {
  const bare = /^\[.*\]$/.test(address) ? address.slice(1, -1) : address;
  // Names and IPv4; IPv6 with or without a zone. ssh expands `%` in HostName.
  if (/^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(bare)) return bare;
  if (/^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?$/.test(bare)) return bare.replace('%', '%%');
  throw invalid(
    host,
    `"${address}" is neither a host name nor an IP address.`,
    'Write it like `web.example.com`, `192.0.2.7` or `2001:db8::7`.',
  );
}

function user(name: string, host: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/.test(name)) return name;
  throw invalid(host, `"${name}" is not a valid user name.`, 'Write it like `root` or `deploy`.');
}

function port(number: number, host: string): number {
  if (Number.isInteger(number) && number >= 1 && number <= 65535) return number;
  throw invalid(host, `${number} is not a valid port.`, 'Write a number from 1 to 65535.');
}

/** The flags of ssh(1) with an argument that existing configurations use, as options of ssh_config(5). */
const flags: Readonly<Record<string, string>> = {
  J: 'ProxyJump',
  b: 'BindAddress',
  c: 'Ciphers',
  i: 'IdentityFile',
  l: 'User',
  m: 'MACs',
  p: 'Port',
};
/** The flags without one. */
const switches: Readonly<Record<string, string>> = {
  '-4': 'AddressFamily inet',
  '-6': 'AddressFamily inet6',
  '-A': 'ForwardAgent yes',
  '-C': 'Compression yes',
};
/** Flags that make no difference here: X11, terminal, verbosity, quietness. */
const ignored = /^-[aTtXxYvqkn]+$/;
/** Options that would accept any host key, ask a person, or break the sharing of connections. */
const reserved = new Set([
  'batchmode',
  'checkhostip',
  'controlmaster',
  'controlpath',
  'controlpersist',
  'globalknownhostsfile',
  'identityagent',
  'knownhostscommand',
  'stricthostkeychecking',
  'updatehostkeys',
  'userknownhostsfile',
  'verifyhostkeydns',
]);

/** The options of ssh_config(5) for words of a command line, as `["-p", "2222", "-o", "ProxyJump=bastion"]`. */
function options(words: readonly string[], host: string, warn: (text: string) => void): string[] {
  const rest = [...words];
  const lines: string[] = [];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (ignored.test(word)) continue;
    const single = switches[word];
    const flag = word.slice(0, 2);
    if (single !== undefined) lines.push(single);
    else if (flag === '-o') lines.push(...longOption(argumentOf(word, rest, host), host, warn));
    else if (flag.startsWith('-') && flags[flag.slice(1)] !== undefined) {
      const value = oneLine(argumentOf(word, rest, host), host);
      lines.push(`${flags[flag.slice(1)]} ${flag === '-i' ? `"${value.replaceAll('"', '')}"` : value}`);
    } else {
      throw invalid(
        host,
        `The SSH option "${word}" is not supported.`,
        'Write options as `-o Key=value`, with the names of ssh_config(5).',
      );
    }
  }
  return lines;
}

/** The argument of a flag: the rest of its word, or the next word, which is taken from `rest`. */
function argumentOf(word: string, rest: string[], host: string): string {
  const argument = word.length > 2 ? word.slice(2) : rest.shift();
  if (argument !== undefined) return argument;
  throw invalid(host, `The SSH option "${word}" has no argument.`, 'Write it as the next word.');
}

/** The argument of `-o`; nothing for an option that is reserved. */
function longOption(argument: string, host: string, warn: (text: string) => void): string[] {
  const [, key = '', value = ''] = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)([\s\S]*)$/.exec(argument) ?? [];
  if (key === '') throw invalid(host, `The SSH option "-o ${argument}" is invalid.`, 'Write it as `-o Key=value`.');
  if (!reserved.has(key.toLowerCase())) return [`${key} ${oneLine(value, host)}`];
  warn(
    `Host ${host}: the SSH option ${key} is ignored, because Nix Ferry pins host keys and shares connections itself.`,
  );
  return [];
}

function oneLine(value: string, host: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (!/[\u0000-\u001f]/.test(value)) return value;
  throw invalid(host, 'An SSH option contains a line break or control character.', 'Write each option on one line.');
}

function invalid(host: string, message: string, cure: string): UserError {
  return new UserError(`Host ${host}: ${message}`, { where: { host, input: 'targets' }, cure });
}
