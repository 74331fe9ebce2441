import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { readDeployKey } from '../../src/deploy/key.ts';
import { UserError } from '../../src/errors.ts';

/** A text in OpenSSH's format as far as it is read: magic, name of the cipher, and some more bytes. */
function openssh(cipher: string): string {
  const name = Buffer.from(cipher);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  const body = Buffer.concat([Buffer.from('openssh-key-v1\0'), length, name, Buffer.alloc(200, 7)]).toString('base64');
  const begin = ['-----BEGIN', 'OPENSSH PRIVATE', 'KEY-----'].join(' ');
  return `${begin}\n${(body.match(/.{1,70}/g) ?? []).join('\n')}\n${begin.replace('BEGIN', 'END')}\n`;
}

const key = openssh('none');

test.each([
  ['unchanged', key],
  ['without a final newline', key.trimEnd()],
  ['with CRLF', key.replaceAll('\n', '\r\n')],
  ['indented, as YAML leaves it', key.replaceAll(/^/gm, '    ')],
  ['with spaces in place of its newlines', key.replaceAll('\n', ' ')],
])('a key %s is repaired to the same text', (_, text) => {
  expect(readDeployKey(text)).toBe(key);
});

test('a PEM key keeps its lines', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  expect(Buffer.from(readDeployKey(pem).split('\n').slice(1, -2).join(''), 'base64')).toEqual(
    Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64'),
  );
});

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const locked = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();

test.each([
  ['', 'is empty'],
  ['  \n', 'is empty'],
  ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGx4 me@example', 'is a public key'],
  [openssh('aes256-ctr'), 'is protected by a passphrase'],
  [locked, 'is protected by a passphrase'],
  [key.split('\n').slice(0, 3).join('\n'), 'is incomplete'],
  [key.split('\n').slice(1).join('\n'), 'is incomplete'],
  ['PuTTY-User-Key-File-3: ssh-ed25519', "is in PuTTY's format"],
  ['hunter2', 'is not a private key'],
  [key.replace(/\n.{70}/, `\n${'A'.repeat(70)}`), 'is damaged'],
])('%j: the deploy key %s', (text, what) => {
  let thrown: unknown;
  try {
    readDeployKey(text);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(UserError);
  const { message, cure, where } = thrown as UserError;
  expect(message).toBe(`The deploy key ${what}.`);
  expect(where).toEqual({ input: 'deploy-key' });
  expect(cure).toBeTruthy();
  // An error about a secret must not repeat it.
  if (text.trim().length > 10) expect(`${message} ${cure}`).not.toContain(text.trim().slice(30, 60));
});
