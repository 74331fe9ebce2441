import { mapConcurrently } from '../concurrency.ts';
import type { Query } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import type { Target } from '../plan/fleet.ts';
import type { AliasedTarget } from './ssh-config.ts';

/**
 * Checks the text of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
 *
 * @returns the text with Unix line ends.
 * @throws UserError that names the first line without a host key.
 */
export function readKnownHosts(text: string): string {
  const lines = text
    .replaceAll('\r', '')
    .split('\n')
    .map(line => line.trim());
  const entries = lines.filter(line => line !== '' && !line.startsWith('#'));
  if (entries.length === 0) throw wrong('contains no host key', '');
  for (const [index, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const words = line.split(/\s+/);
    if (words[0] === '@cert-authority' || words[0] === '@revoked') words.shift();
    const [hosts = '', type = '', key = ''] = words;
    if (isKeyType(hosts) && /^AAAA/.test(type)) {
      throw wrong(
        `has a key without its host in line ${index + 1}`,
        `Put the target's address in front of it: \`<address> ${hosts} …\`. `,
      );
    }
    if (!isKeyType(type) || !namesItself(type, key)) {
      throw wrong(`has no host key in line ${index + 1} ("${line.slice(0, 40)}")`, '');
    }
  }
  return `${lines.join('\n').trim()}\n`;
}

function isKeyType(word: string): boolean {
  return /^(ssh-|ecdsa-|sk-)[a-z0-9@.-]+$/.test(word);
}

/** Whether a key's data begins with its type, as it must (RFC 4253, 6.6). */
function namesItself(type: string, key: string): boolean {
  const blob = Buffer.from(key, 'base64');
  return blob.length > 4 + type.length && blob.toString('latin1', 4, 4 + blob.readUInt32BE(0)) === type;
}

/** The error of a run that would have to trust any host key. */
export function missingKnownHosts(targets: readonly Target[]): UserError {
  return new UserError('No host keys are pinned, so Nix Ferry cannot verify that it connects to the right machines.', {
    where: { input: 'known-hosts' },
    cure: howToPin(targets),
  });
}

/**
 * Checks that each target has a pinned key, under the name, alias and port that ssh itself looks for.
 *
 * @param config ssh's configuration file.
 * @throws UserError that names all targets without one.
 */
export async function checkHostKeys(
  targets: readonly AliasedTarget[],
  config: string,
  knownHosts: string,
  query: Query,
): Promise<void> {
  const missing = await mapConcurrently(targets, 8, async aliased => {
    const name = hostKeyName(await settings(aliased, config, query)) ?? aliased.target.address;
    const { code } = await query('ssh-keygen', ['-F', name, '-f', knownHosts], { allow: [0, 1] });
    return code === 0 ? [] : [{ ...aliased, name }];
  });
  const unpinned = missing.flat();
  if (unpinned.length === 0) return;
  const names = unpinned.map(({ host, name }) => (host === name ? host : `${host} (${name})`)).join(', ');
  throw new UserError(`No host key is pinned for ${names}.`, {
    where: { input: 'known-hosts' },
    cure: howToPin(unpinned.map(({ target }) => target)),
  });
}

/** The name under which ssh looks for a host key, from what `ssh -G` printed; null if that names no host. */
export function hostKeyName(printed: string): string | null {
  const setting = (key: string): string | undefined => new RegExp(`^${key} (.*)$`, 'm').exec(printed)?.[1];
  const [port = '22', address] = [setting('port'), setting('hostname')];
  if (address === undefined) return setting('hostkeyalias') ?? null;
  return setting('hostkeyalias') ?? (port === '22' ? address : `[${address}]:${port}`);
}

/** The options that ssh will use for a target: lines of a key and a value. */
async function settings({ alias, host, target }: AliasedTarget, config: string, query: Query): Promise<string> {
  try {
    return (await query('ssh', ['-F', config, '-G', alias])).stdout;
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== 255) throw error;
    const printed = error.stderr.trim().replaceAll(`${config}: `, '').replaceAll(`${config} `, '');
    throw new UserError(`Host ${host}: SSH does not accept its options (${target.sshOptions.join(' ')}): ${printed}`, {
      where: { host, input: 'targets' },
      cure: 'Write options as `-o Key=value`, with the names and values of ssh_config(5).',
      cause: error,
    });
  }
}

/** Explains how to get the lines for `targets`. */
export function howToPin(targets: readonly Target[]): string {
  const scans = targets.slice(0, 3).map(scan);
  const more = targets.length > scans.length ? ', …' : '';
  return (
    `Run ${scans.join(', ')}${more} from a network you trust, compare the fingerprint (\`ssh-keygen -lf -\`) with what the ` +
    'machine itself says (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), and write the lines into `known-hosts`.'
  );
}

function scan(target: Target): string {
  return `\`ssh-keyscan -t ed25519 ${target.port === null || target.port === 22 ? '' : `-p ${target.port} `}${target.address}\``;
}

function wrong(what: string, cure: string): UserError {
  return new UserError(`The known-hosts text ${what}.`, {
    where: { input: 'known-hosts' },
    cure: `${cure}Write each line as \`ssh-keyscan -t ed25519 <address>\` prints it: address, key type, key.`,
  });
}
