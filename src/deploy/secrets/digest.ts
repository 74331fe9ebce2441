import { createHmac, randomBytes } from 'node:crypto';
import type { Secret } from '../../plan/fleet.ts';
import type { SecretContent } from './content.ts';

/** What a target keeps of a secret that it got, for previews to compare with: everybody there may read it. */
export interface KeptDigest {
  /** 32 hex digits: the first half is random, the second one shows with which key the digest was made. */
  salt: string;
  /** 64 hex digits; null if the secret is not there any more. */
  digest: string | null;
  destination: string;
}

/** What a digest is of. */
interface Digested {
  host: string;
  secret: Secret;
  content: SecretContent;
}

/**
 * The digest that a target is to keep, with a new salt, as `SALT DIGEST`. Its key is derived from the signing key, which no
 * target has: whoever reads the digest without that key learns nothing, and cannot guess at a weak secret.
 */
export function newDigest(digested: Digested, signingKey: string): string {
  const key = keyFrom(signingKey);
  const salt = saltOf(key, randomBytes(8).toString('hex'));
  return `${salt} ${digestOf(digested, salt, key)}`;
}

/**
 * Whether a target got this content, with this owner and mode, when it got the secret that it keeps the digest of.
 *
 * @returns null if the digest was made with another signing key.
 */
export function isSameDigest({ salt, digest }: KeptDigest, digested: Digested, signingKey: string): boolean | null {
  const key = keyFrom(signingKey);
  return salt === saltOf(key, salt.slice(0, 16)) ? digest === digestOf(digested, salt, key) : null;
}

function keyFrom(signingKey: string): Buffer {
  return createHmac('sha256', signingKey.trim()).update('nix-ferry: digests of secrets').digest();
}

function saltOf(key: Buffer, random: string): string {
  return random + createHmac('sha256', key).update(`salt ${random}`).digest('hex').slice(0, 16);
}

function digestOf({ host, secret, content }: Digested, salt: string, key: Buffer): string {
  const { destination, user, group, permissions } = secret;
  return content.keyedDigest(key, JSON.stringify([salt, host, destination, user, group, permissions]));
}
