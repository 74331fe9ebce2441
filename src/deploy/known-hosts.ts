import { UserError } from '../errors.ts';
import type { Target } from '../plan/fleet.ts';

/**
 * Checks the text of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) and answers it with plain line ends.
 *
 * @throws UserError that names the first line which is none.
 */
export function readKnownHosts(text: string): string {
  const lines = text
    .replaceAll('\r', '')
    .split('\n')
    .map(line => line.trim());
  const entries = lines.filter(line => line !== '' && !line.startsWith('#'));
  if (entries.length === 0) throw wrong('holds no host key', '');
  for (const [index, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const words = line.split(/\s+/);
    if (words[0] === '@cert-authority' || words[0] === '@revoked') words.shift();
    const [hosts = '', type = '', key = ''] = words;
    if (isKeyType(hosts) && /^AAAA/.test(type)) {
      throw wrong(
        `has a key without its host in line ${index + 1}`,
        `Put the target's address before it: \`<address> ${hosts} …\`. `,
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

/** A key's blob begins with its type (RFC 4253, 6.6). */
function namesItself(type: string, key: string): boolean {
  const blob = Buffer.from(key, 'base64');
  return blob.length > 4 + type.length && blob.toString('latin1', 4, 4 + blob.readUInt32BE(0)) === type;
}

/** The error of a run that would have to believe whichever host key it is shown. */
export function missingKnownHosts(targets: readonly Target[]): UserError {
  return new UserError('No host keys are pinned, so the targets could not be told from an impostor.', {
    where: { input: 'known-hosts' },
    cure: howToPin(targets),
  });
}

/** What to do to get the lines for `targets`, in words. */
export function howToPin(targets: readonly Target[]): string {
  const scans = targets.slice(0, 3).map(scan);
  const more = targets.length > scans.length ? ', …' : '';
  return (
    `Run ${scans.join(', ')}${more} from a network you trust, compare the fingerprint (\`ssh-keygen -lf -\`) with what the ` +
    'machine itself says (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), and give the lines as `known-hosts`.'
  );
}

function scan(target: Target): string {
  return `\`ssh-keyscan -t ed25519 ${target.port === null || target.port === 22 ? '' : `-p ${target.port} `}${target.address}\``;
}

function wrong(what: string, cure: string): UserError {
  return new UserError(`The known-hosts text ${what}.`, {
    where: { input: 'known-hosts' },
    cure: `${cure}Each line is as \`ssh-keyscan -t ed25519 <address>\` prints it: address, key type, key.`,
  });
}
