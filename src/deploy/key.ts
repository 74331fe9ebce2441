import { UserError } from '../errors.ts';

/**
 * The text of a deploy key as OpenSSH accepts it. Repairs what copying and pasting breaks: CRLF, a missing final newline,
 * indentation, newlines that became spaces.
 *
 * @throws UserError that says what the text is, if it is not an unencrypted private key.
 */
export function readDeployKey(text: string): string {
  const plain = text.replaceAll('\r', '').trim();
  if (plain === '')
    throw wrong(
      'is empty',
      'In a workflow, a secret that is not set is empty: check that it exists for this environment.',
    );
  if (/^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+/.test(plain) || plain.includes('BEGIN SSH2 PUBLIC KEY')) {
    throw wrong('is a public key', 'Give the private key: the file without `.pub`.');
  }
  if (plain.startsWith('PuTTY-User-Key-File')) {
    throw wrong("is in PuTTY's format", 'Convert it: `puttygen key.ppk -O private-openssh -o deploy-key`.');
  }
  const found = /^-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----\s+([\s\S]*?)(?:\s*)-----END \1-----$/.exec(plain);
  if (found === null) {
    if (plain.includes('PRIVATE KEY-----')) {
      throw wrong('is incomplete', 'Give all of it, from the line `-----BEGIN …` to the line `-----END …`.');
    }
    throw wrong('is not a private key', 'It begins with a line like `-----BEGIN OPENSSH PRIVATE KEY-----`.');
  }
  const [, label = '', body = ''] = found;
  if (label.startsWith('ENCRYPTED') || /^Proc-Type:.*ENCRYPTED/m.test(body)) throw encrypted();
  // The old PEM format may have header lines; only a body that is all base64 can be joined and wrapped again.
  const lines = /^[A-Za-z0-9+/=\s]+$/.test(body)
    ? fold(body.replaceAll(/\s/g, ''))
    : body.split('\n').map(line => line.trim());
  if (label === 'OPENSSH PRIVATE KEY' && cipher(lines.join('')) !== 'none') throw encrypted();
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function fold(base64: string): string[] {
  return base64.match(/.{1,70}/g) ?? [];
}

/** The name of the cipher in OpenSSH's own format (PROTOCOL.key in its source): a string after a magic of 15 bytes. */
function cipher(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length < 19 || bytes.toString('latin1', 0, 14) !== 'openssh-key-v1') {
    throw wrong('is damaged', 'Its first bytes are not those of an OpenSSH key: give the unchanged text of the file.');
  }
  return bytes.toString('latin1', 19, 19 + bytes.readUInt32BE(15));
}

function encrypted(): UserError {
  return wrong(
    'is protected by a passphrase',
    'Create a separate key for deployments: `ssh-keygen -t ed25519 -N "" -f deploy-key`, and authorize its public key on the targets.',
  );
}

function wrong(what: string, cure: string): UserError {
  return new UserError(`The deploy key ${what}.`, { where: { input: 'deploy-key' }, cure });
}
