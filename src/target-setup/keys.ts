import { UserError } from '../errors.ts';

/** A line of an OpenSSH public key file. */
export interface SshKey {
  /** As `ssh-ed25519`. */
  type: string;
  base64: string;
  /** May be empty. */
  comment: string;
}

/**
 * Reads a public key as `ssh-keygen` writes it: type, base64, comment.
 *
 * @throws UserError if it is something else. The message has none of the text after its first 20 characters.
 */
export function readSshKey(line: string): SshKey {
  const [, type = '', base64 = '', comment = ''] =
    /^((?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+) +([A-Za-z0-9+/]+=*)(?: +([^\p{Cc}]*))?$/u.exec(line) ?? [];
  if (type !== '' && namesItself(type, base64)) return { type, base64, comment: comment.trim() };
  const options = / (?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+ +AAAA/.test(line);
  throw new UserError(`${beginning(line)} is not a public SSH key.`, {
    cure: options
      ? 'Leave out the options in front of the key: the gate sets its own.'
      : 'Write a line like `ssh-ed25519 AAAA… comment`, or the name of a file with such lines as `@FILE`.',
  });
}

/** Whether a key's data begins with its type, as it must (RFC 4253, 6.6). */
function namesItself(type: string, base64: string): boolean {
  const blob = Buffer.from(base64, 'base64');
  return blob.length > 4 + type.length && blob.toString('latin1', 4, 4 + blob.readUInt32BE(0)) === type;
}

export function sameKey(a: SshKey, b: SshKey): boolean {
  return a.type === b.type && a.base64 === b.base64;
}

/**
 * Checks a public key in Nix's form `name:base64`.
 *
 * @throws UserError if it is something else; the message does not contain a secret key.
 */
export function readNixKey(text: string): string {
  const [, name = '', base64 = ''] = /^([A-Za-z0-9._-]+):([A-Za-z0-9+/]+=*)$/.exec(text) ?? [];
  const bytes = Buffer.from(base64, 'base64').length;
  if (name !== '' && bytes === 32) return text;
  if (name !== '' && bytes === 64) {
    throw new UserError(`${name} is a secret key.`, {
      cure: 'Give its public half: `nix key convert-secret-to-public < FILE` prints it.',
    });
  }
  throw new UserError(`${beginning(text)} is not a public key in Nix's form.`, {
    cure: 'Write it like `my-fleet-1:…`, as `nix key convert-secret-to-public` prints it.',
  });
}

/** For messages: not the whole text, which may be a secret. */
function beginning(text: string): string {
  return text.length <= 20 ? `"${text}"` : `"${text.slice(0, 20)}…"`;
}
