import { createHash } from 'node:crypto';
import type { ReadSecret } from './content.ts';

/**
 * The digest by which a signed order says which contents a target may get, as target/gate/root.sh computes it.
 *
 * @returns `sha256:` and 64 digits; null if no content is known.
 */
export function contentsDigest(secrets: readonly ReadSecret[]): string | null {
  const lines = secrets.flatMap(({ content }, index) =>
    content === null ? [] : [`${index + 1}.content ${content.sha256()}\n`],
  );
  return lines.length === 0 ? null : `sha256:${createHash('sha256').update(lines.join('')).digest('hex')}`;
}
