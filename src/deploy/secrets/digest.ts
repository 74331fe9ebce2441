import { createHmac, randomBytes } from 'node:crypto';
import type { Secret } from '../../plan/fleet.ts';
import type { SecretContent } from './content.ts';

/** What a target keeps of a secret that it got, for previews to compare with: everybody there may read it. */
export interface KeptDigest {
  /** 32 hex digits. */
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
  const salt = randomBytes(16).toString('hex');
  return `${salt} ${digestOf(digested, salt, signingKey)}`;
}

/** Whether a target got this content, with this owner and mode, when it got the secret that it keeps the digest of. */
export function isSameDigest(kept: KeptDigest, digested: Digested, signingKey: string): boolean {
  return kept.digest === digestOf(digested, kept.salt, signingKey);
}

function digestOf({ host, secret, content }: Digested, salt: string, signingKey: string): string {
  const key = createHmac('sha256', signingKey.trim()).update('nix-ferry: digests of secrets').digest();
  const { destination, user, group, permissions } = secret;
  return content.keyedDigest(key, JSON.stringify([salt, host, destination, user, group, permissions]));
}
