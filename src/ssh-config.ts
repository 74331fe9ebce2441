/** The blocks of an ssh_config(5) file that trusts only known host keys and never asks a person. */
export interface SshConfig {
  /** Path of the known_hosts file with the pinned keys; null: those of the user, whose other settings apply too. */
  knownHosts: string | null;
  /** Options of every connection, which no host can override, as `IdentityAgent /path`. */
  pinned?: readonly string[];
  hosts: readonly HostBlock[];
  /** Options of every host that does not set them itself. */
  defaults?: readonly string[];
}

/** A `Host` block: the alias that ssh and Nix are given, and its options. */
export interface HostBlock {
  alias: string;
  options: readonly string[];
}

/** The text of the file. ssh uses the first value that it finds for an option, so the pinned ones come first. */
export function formatSshConfig({ knownHosts, pinned = [], hosts, defaults = [] }: SshConfig): string {
  return [
    'StrictHostKeyChecking yes',
    ...(knownHosts === null ? [] : [`UserKnownHostsFile ${knownHosts}`, 'GlobalKnownHostsFile /dev/null']),
    'VerifyHostKeyDNS no',
    'UpdateHostKeys no',
    'CheckHostIP no',
    'BatchMode yes',
    ...pinned,
    '',
    ...hosts.flatMap(block),
    '',
    ...block({
      alias: '*',
      options: [
        ...defaults,
        'ConnectTimeout 15',
        'ServerAliveInterval 10',
        'ServerAliveCountMax 3',
        'ForwardAgent no',
        'ForwardX11 no',
        'RequestTTY no',
        'LogLevel ERROR',
      ],
    }),
    '',
    // For jump hosts; ssh ignores a file that does not exist.
    ...(knownHosts === null ? ['Include ~/.ssh/config', 'Include /etc/ssh/ssh_config', ''] : []),
  ].join('\n');
}

function block({ alias, options }: HostBlock): string[] {
  return [`Host ${alias}`, ...options.map(option => `  ${option}`)];
}
