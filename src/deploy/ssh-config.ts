import { UserError } from '../errors.ts';
import type { Target } from '../plan/fleet.ts';
import { checkSourceOptions } from './source-options.ts';

/** A target under the name that ssh and Nix are given for it. */
export interface AliasedTarget {
  alias: string;
  host: string;
  target: Target;
}

export interface SshPaths {
  /** The socket of the agent that holds the deploy key; null: the user's own agent and keys serve. */
  agent: string | null;
  knownHosts: string;
  /** Directory for the sockets of shared connections: short, since a socket's path has at most 108 bytes. */
  control: string;
}

/**
 * The one configuration file that ssh is called with, by us and by `nix copy`: a block for each target under an alias of
 * our own, so that names, addresses and options need not survive Nix's splitting of NIX_SSHOPTS. Of each option ssh takes
 * the first value it finds (ssh_config(5)), so what is pinned comes first.
 *
 * @throws UserError for an address, user, port or option that cannot be given to ssh.
 */
export function renderSshConfig(
  targets: readonly AliasedTarget[],
  paths: SshPaths,
  warn: (text: string) => void,
): string {
  const pinned = [
    'StrictHostKeyChecking yes',
    `UserKnownHostsFile ${paths.knownHosts}`,
    'GlobalKnownHostsFile /dev/null',
    'VerifyHostKeyDNS no',
    'UpdateHostKeys no',
    'CheckHostIP no',
    'BatchMode yes',
    ...(paths.agent === null ? [] : [`IdentityAgent ${paths.agent}`]),
  ];
  const blocks = targets.map(({ alias, host, target }) => [
    `Host ${alias}`,
    ...[
      `HostName ${hostName(target.address, host)}`,
      `User ${user(target.user, host)}`,
      ...(target.port === null ? [] : [`Port ${port(target.port, host)}`]),
      'ControlMaster auto',
      `ControlPath ${paths.control}/%n`,
      'ControlPersist 60',
      ...checkSourceOptions(options(target.sshOptions, host, warn), host, target),
    ].map(line => `  ${line}`),
  ]);
  const rest = [
    ...(paths.agent === null ? [] : ['IdentityFile none']),
    'ConnectTimeout 15',
    'ServerAliveInterval 10',
    'ServerAliveCountMax 3',
    'ForwardAgent no',
    'ForwardX11 no',
    'RequestTTY no',
    'LogLevel ERROR',
  ];
  return [...pinned, '', ...blocks.flat(), '', 'Host *', ...rest.map(line => `  ${line}`), ''].join('\n');
}

function hostName(address: string, host: string): string {
  const bare = /^\[.*\]$/.test(address) ? address.slice(1, -1) : address;
  // Names and IPv4; IPv6 with or without a zone. ssh expands `%` in HostName.
  if (/^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(bare)) return bare;
  if (/^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9_.-]+)?$/.test(bare)) return bare.replace('%', '%%');
  throw invalid(
    host,
    `The address "${address}" is neither a host name nor an IP address.`,
    'Write as `web.example.com`, `192.0.2.7` or `2001:db8::7`.',
  );
}

function user(name: string, host: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/.test(name)) return name;
  throw invalid(host, `The user "${name}" is no user name.`, 'Write as `root` or `deploy`.');
}

function port(number: number, host: string): number {
  if (Number.isInteger(number) && number >= 1 && number <= 65535) return number;
  throw invalid(host, `The port ${number} is no port.`, 'Write a number from 1 to 65535.');
}

/** ssh's flags with an argument that existing configurations use, as names of ssh_config(5). */
const flags: Readonly<Record<string, string>> = {
  J: 'ProxyJump',
  b: 'BindAddress',
  c: 'Ciphers',
  i: 'IdentityFile',
  l: 'User',
  m: 'MACs',
  p: 'Port',
};
const switches: Readonly<Record<string, string>> = {
  4: 'AddressFamily inet',
  6: 'AddressFamily inet6',
  A: 'ForwardAgent yes',
  C: 'Compression yes',
};
/** Without effect on what we do over a connection: X11, terminal, verbosity, quietness. */
const ignored = /^-[aTtXxYvqkn]+$/;
/** What would believe any host key, ask a person, or break the sharing of connections. */
const ours = new Set([
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

/** Lines of ssh_config for the words of a command line, as `["-p", "2222", "-o", "ProxyJump=bastion"]`. */
function options(words: readonly string[], host: string, warn: (text: string) => void): string[] {
  const lines: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const letter = word.slice(1, 2);
    const takeArgument = (): string => {
      if (word.length > 2) return word.slice(2);
      const next = words[++index];
      if (next === undefined)
        throw invalid(host, `The SSH option "${word}" lacks its argument.`, 'Write it as the next word.');
      return next;
    };
    if (/^-[456AC]$/.test(word) && switches[letter] !== undefined) lines.push(switches[letter]);
    else if (ignored.test(word)) continue;
    else if (word.startsWith('-o')) {
      const [, key = '', value = ''] = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)([\s\S]*)$/.exec(takeArgument()) ?? [];
      if (key === '')
        throw invalid(host, `The SSH option "${word} ${words[index]}" is none.`, 'Write as `-o Key=value`.');
      if (ours.has(key.toLowerCase())) {
        warn(
          `The SSH option ${key} of host ${host} is left out: host keys are pinned and connections shared by Nix Ferry.`,
        );
      } else lines.push(`${key} ${oneLine(value, host)}`);
    } else if (word.startsWith('-') && flags[letter] !== undefined) {
      const value = oneLine(takeArgument(), host);
      lines.push(`${flags[letter]} ${letter === 'i' ? `"${value.replaceAll('"', '')}"` : value}`);
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

function oneLine(value: string, host: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (!/[\u0000-\u001f]/.test(value)) return value;
  throw invalid(host, 'An SSH option holds a line break or control character.', 'Write each option on one line.');
}

function invalid(host: string, message: string, cure: string): UserError {
  return new UserError(`Host ${host}: ${message}`, { where: { host, input: 'targets' }, cure });
}
