/** A fetch in a Nix file that names neither a hash nor a revision. */
export interface Unpinned {
  /** Offset in the text. */
  at: number;
  /** The function called, or `<nixpkgs>`. */
  what: string;
}

/**
 * The text with comments and the contents of strings replaced by spaces, so that offsets stay valid. Code in `${}` is kept.
 *
 * Implements just enough of Nix's lexer: comments, "strings", ''strings'' with their escapes, and interpolation.
 */
export function codeOf(text: string): string {
  const out = Array.from({ length: text.length }, (_, i) => text.charAt(i));
  const blank = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  /** Returns the offset after the brace that closes the one before `start`, or the end of the text. */
  const code = (start: number): number => {
    let depth = 0;
    let i = start;
    while (i < text.length) {
      const two = text.slice(i, i + 2);
      if (text[i] === '#' || two === '/*') {
        const end = text[i] === '#' ? text.indexOf('\n', i) : text.indexOf('*/', i + 2) + 2;
        const to = end < i + 1 ? text.length : end;
        blank(i, to);
        i = to;
      } else if (text[i] === '"') i = string(i + 1, '"');
      else if (two === "''") i = string(i + 2, "''");
      else if (text[i] === '{') {
        depth += 1;
        i += 1;
      } else if (text[i] === '}') {
        i += 1;
        if (depth === 0) return i;
        depth -= 1;
      } else i += 1;
    }
    return i;
  };
  const string = (start: number, quote: '"' | "''"): number => {
    let i = start;
    while (i < text.length) {
      const kept = quote === '"' ? /\\[\s\S]|\$\$/y : /'''|''\$|''\\[\s\S]|\$\$/y;
      kept.lastIndex = i;
      const escaped = kept.exec(text);
      if (escaped !== null) {
        blank(i, kept.lastIndex);
        i = kept.lastIndex;
      } else if (text.startsWith('${', i)) {
        blank(i, i + 2);
        const end = code(i + 2);
        blank(end - 1, end);
        i = end;
      } else if (text.startsWith(quote, i)) return i + quote.length;
      else {
        blank(i, i + 1);
        i += 1;
      }
    }
    return i;
  };
  let at = 0;
  while (at < text.length) at = code(at);
  return out.join('');
}

const fetchers = {
  fetchTarball: /\b(?:sha256|hash|narHash)\b/,
  fetchurl: /\b(?:sha256|hash|narHash)\b/,
  fetchGit: /\b(?:rev|narHash)\b/,
  fetchMercurial: /\b(?:rev|narHash)\b/,
  fetchTree: /\b(?:rev|narHash)\b/,
  getFlake: /[?&](?:rev|narHash)=|\b[0-9a-f]{40}\b/,
} as const;

/** Fetches that clearly have no hash or revision. Arguments that are computed elsewhere are not judged here. */
export function unpinnedFetches(text: string): Unpinned[] {
  const code = codeOf(text);
  const fetches: Unpinned[] = [];
  const call =
    /(?<![\w'-])(builtins\s*\.\s*)?(fetchTarball|fetchurl|fetchGit|fetchMercurial|fetchTree|getFlake)(?![\w'-])\s*(\(?\s*)(["{]|[a-z]+:|'')/g;
  for (const match of code.matchAll(call)) {
    const [whole, builtin, name, , begin] = match as unknown as [
      string,
      string?,
      (keyof typeof fetchers)?,
      string?,
      string?,
    ];
    if (name === undefined || begin === undefined) continue;
    // nixpkgs' own fetchurl requires a hash.
    if (name === 'fetchurl' && builtin === undefined) continue;
    const start = match.index + whole.length - begin.length;
    const pinned = begin === '{' ? isPinnedSet(code, text, start, name) : isPinnedWord(code, text, start, name);
    if (!pinned) fetches.push({ at: match.index, what: name });
  }
  return fetches;
}

function isPinnedSet(code: string, text: string, start: number, name: keyof typeof fetchers): boolean {
  let depth = 0;
  let end = start;
  for (; end < code.length; end++) {
    if (code[end] === '{') depth += 1;
    if (code[end] === '}') depth -= 1;
    if (depth === 0) break;
  }
  const inside = code.slice(start, end);
  // `{ … } // more` may add the hash, and a pattern before `:` is not an argument.
  if (/^\}\s*(?:\/\/|:|@)/.test(code.slice(end))) return true;
  if (/\burl\s*=\s*(?:\.|\/|toString\b)/.test(inside)) return true;
  if (fetchers[name].test(inside)) return true;
  // The URL of a tarball may contain a revision, but nothing checks what is downloaded.
  return name !== 'fetchTarball' && name !== 'fetchurl' && fetchers.getFlake.test(text.slice(start, end));
}

function isPinnedWord(code: string, text: string, start: number, name: keyof typeof fetchers): boolean {
  const rest = code[start] === '"' ? /"[^"]*"/y : /\S+/y;
  rest.lastIndex = start;
  const word = rest.exec(code)?.[0] ?? '';
  const raw = text.slice(start, start + word.length);
  return name !== 'fetchTarball' && name !== 'fetchurl' && fetchers.getFlake.test(raw);
}

/** `<nixpkgs>` and other paths that the machine's NIX_PATH determines. `<nix/…>` is Nix's own. */
export function searchPaths(text: string): Unpinned[] {
  return Array.from(codeOf(text).matchAll(/<(?!nix\/)[A-Za-z0-9._+-]+(?:\/[A-Za-z0-9._+-]+)*>/g), match => ({
    at: match.index,
    what: match[0],
  }));
}

/** The line of an offset, from 1. */
export function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

/** Whether a Nix file reads what the commit does not determine: the time. Every `getEnv` is empty, see `cause.ts`. */
export function readsMachine(text: string): boolean {
  return /\bcurrentTime\b/.test(codeOf(text));
}

/** Whether a Nix file `depth` folders below a folder may refer to something outside of that folder. */
export function reachesOut(text: string, depth: number): boolean {
  if (/\bdirOf\b/.test(text)) return true;
  return (text.match(/[^\s"'();{}[\]]*\.\.(?=\/|[\s"'();{}[\]]|$)[^\s"'();{}[\]]*/g) ?? []).some(
    path => path.split('/').filter(segment => segment === '..').length > depth,
  );
}
