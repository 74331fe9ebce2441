import { UserError } from '../errors.ts';
import type { Target } from '../plan/fleet.ts';

/**
 * The options of ssh_config(5) that a source may set: addresses, ports, jump hosts, algorithms, time-outs. Others run
 * commands (ProxyCommand, Match, LocalCommand), load code (PKCS11Provider), read files of the runner or let the target use
 * the deploy key (ForwardAgent).
 */
const allowed = new Set([
  ...['AddressFamily', 'BindAddress', 'BindInterface', 'HostKeyAlias', 'Port', 'ProxyJump', 'User'],
  ...['CASignatureAlgorithms', 'Ciphers', 'HostKeyAlgorithms', 'KexAlgorithms', 'MACs', 'PubkeyAcceptedAlgorithms'],
  ...['PubkeyAcceptedKeyTypes', 'RekeyLimit', 'RequiredRSASize'],
  ...['ConnectTimeout', 'ConnectionAttempts', 'ServerAliveCountMax', 'ServerAliveInterval', 'TCPKeepAlive'],
  ...['Compression', 'IPQoS', 'LogLevel'],
]);
const lowerCase = new Set([...allowed].map(name => name.toLowerCase()));

/** Without quotes, `%` and `$`, which ssh expands. */
const plainValue = /^[A-Za-z0-9@.,:+^*_/=[\] -]*$/;

/** Versions of ssh before 9.6 pass the parts of a jump host to a shell unchecked (CVE-2023-51385). */
const jump = '(ssh://)?([A-Za-z0-9_][A-Za-z0-9_.-]*@)?([A-Za-z0-9_][A-Za-z0-9_.-]*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]+)?';
const jumps = new RegExp(`^(none|${jump}(,${jump})*)$`, 'i');

/**
 * Checks the SSH options of a target if they are from the source: anybody who opens a pull request can write these. The
 * input `targets` is part of the workflow, which is reviewed, and may set any option.
 *
 * @param lines the options as lines of ssh_config(5).
 * @returns `lines`.
 * @throws UserError for the first option that a source may not set.
 */
export function checkSourceOptions(
  lines: readonly string[],
  host: string,
  { sshOptions, sshOptionsFrom }: Pick<Target, 'sshOptions' | 'sshOptionsFrom'>,
): readonly string[] {
  if (sshOptionsFrom === 'targets') return lines;
  for (const line of lines) {
    const [, key = '', value = ''] = /^(\S+) ?([\s\S]*)$/.exec(line) ?? [];
    const isPlain = /^ProxyJump$/i.test(key) ? jumps.test(value) : plainValue.test(value);
    if (lowerCase.has(key.toLowerCase()) && isPlain) continue;
    const why = lowerCase.has(key.toLowerCase()) ? `the value "${value}" for the SSH option` : 'the SSH option';
    throw new UserError(`Host ${host}: the source may not set ${why} ${key}, which could misuse the deploy key.`, {
      where: { host, input: 'targets' },
      cure:
        'If you need it, set it in the input `targets`, which is reviewed with the workflow: ' +
        `\`${JSON.stringify({ [host]: { sshOptions } })}\`. A source may set: ${[...allowed].join(', ')}.`,
    });
  }
  return lines;
}
