import { createHash } from 'node:crypto';
import type { ReadSecret } from './content.ts';

/**
 * The digest by which a signed order says which contents a target may get, as target/gate/root.sh computes it.
 *
 * @returns `sha256:` and 64 digits; null if no content is known.
 */
export function contentsDigest(secrets: readonly ReadSecret[]): string | null {
  const lines = secrets.flatMap(({ content }, index) =>
    content === null ? [] : [`${index + 1}.content ${sha256(Buffer.from(content.base64(), 'base64'))}\n`],
  );
  return lines.length === 0 ? null : `sha256:${sha256(lines.join(''))}`;
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}
