import { createHash, createHmac } from 'node:crypto';
import { Hidden } from '../../hidden.ts';
import type { Secret } from '../../plan/fleet.ts';

/** The content of a secret. */
export class SecretContent extends Hidden {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super();
    this.#bytes = bytes;
  }

  /** The content itself, in base64, for the target that needs it. */
  base64(): string {
    return this.#bytes.toString('base64');
  }

  /** What `compare` in target/activation/secrets-steps.sh answers for a file with this content. */
  digest(key: string): string {
    const inner = createHash('sha256').update(key).update(this.#bytes).digest('hex');
    return createHash('sha256').update(key).update(inner).digest('hex');
  }

  /** In hex. */
  sha256(): string {
    return createHash('sha256').update(this.#bytes).digest('hex');
  }

  /** An HMAC of a text without NUL and the content, in hex. */
  keyedDigest(key: Buffer, text: string): string {
    return createHmac('sha256', key).update(text).update('\0').update(this.#bytes).digest('hex');
  }

  /** The content as text, to be masked in logs; null if it is binary, large, or too short to be distinguished from other text. */
  maskable(): string | null {
    const text = this.#bytes.toString('utf8').trim();
    const isText = this.#bytes.length <= 64 * 1024 && !/[\0\uFFFD]/.test(text);
    return isText && text.length > 3 ? text : null;
  }
}

/** A secret of a host, as far as this run reads it. */
export interface ReadSecret {
  secret: Secret;
  /** Null if its source is not read. */
  content: SecretContent | null;
  /** What the target is to keep of it (newDigest in digest.ts); null without content or signing key. */
  digest: string | null;
}
