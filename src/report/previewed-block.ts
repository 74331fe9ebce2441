/** The toplevels that a preview has shown. */
export interface ShownToplevels {
  /** The commit of the pull request that was built. */
  commit: string;
  /** Host → toplevel. */
  toplevels: Record<string, string>;
}

/** Characters of the hidden block, at most: a comment has 65536. */
const limit = 30_000;

const form = /^<!-- nix-ferry-toplevels ([A-Za-z0-9_-]+) -->$/m;

/** A comment of HTML, which GitHub does not show, that carries toplevels; null if there are too many. */
export function encodeToplevels(shown: ShownToplevels): string | null {
  // In Base64, because the name of a host could end the comment.
  const block = `<!-- nix-ferry-toplevels ${Buffer.from(JSON.stringify(shown)).toString('base64url')} -->`;
  return block.length <= limit ? block : null;
}

/** Reads the block of a comment; null if it has none that is valid. */
export function decodeToplevels(comment: string): ShownToplevels | null {
  const [, encoded] = form.exec(comment) ?? [];
  if (encoded === undefined) return null;
  try {
    const shown: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString());
    return isShown(shown) ? shown : null;
  } catch {
    return null;
  }
}

function isShown(value: unknown): value is ShownToplevels {
  const { commit, toplevels } = (value ?? {}) as Partial<ShownToplevels>;
  if (typeof commit !== 'string' || typeof toplevels !== 'object' || toplevels === null) return false;
  return Object.values(toplevels).every(path => /^\/nix\/store\/[\w.+?=-]+$/.test(path));
}
