import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';

/** True if the selection depends on the hosts' tags. */
export function needsTags(selectors: readonly string[]): boolean {
  return selectors.some(selector => pattern(selector).startsWith('@'));
}

/**
 * The hosts that match the selectors, in the order of `names`.
 *
 * A selector is a name, a glob (`*` any characters, `?` one character), `@tag` (also a glob), or one of these after `!`, which
 * excludes. If all selectors exclude, they exclude from all hosts. An exact name has priority, so that a host whose name
 * contains `*`, `@` or `!` can be selected.
 *
 * @param tags returns the tags of a host; called only if `needsTags` is true.
 * @throws UserError if a selector matches no host, with the known ones and the most similar, and if no host is left.
 */
export function select(
  names: readonly string[],
  selectors: readonly string[],
  tags: (host: string) => readonly string[],
): string[] {
  const matches = (selector: string): Set<string> => {
    if (names.includes(selector)) return new Set([selector]);
    const matching = selector.startsWith('@')
      ? names.filter(name => tags(name).some(tag => glob(selector.slice(1)).test(tag)))
      : names.filter(name => glob(selector).test(name));
    if (matching.length === 0) throw unknown(selector, names, tags);
    return new Set(matching);
  };
  const excludes = (selector: string): boolean => selector.startsWith('!') && !names.includes(selector);
  const included = selectors.filter(selector => !excludes(selector)).map(matches);
  const excluded = selectors.filter(excludes).map(selector => matches(selector.slice(1)));
  const selected = names.filter(
    name => (included.length === 0 || included.some(set => set.has(name))) && !excluded.some(set => set.has(name)),
  );
  if (selected.length > 0 || names.length === 0) return selected;
  throw new UserError(`The selection ${JSON.stringify(selectors.join(', '))} contains no host.`, {
    where: { input: 'hosts' },
    cure: 'Select at least one host, or leave `hosts` empty for all hosts.',
  });
}

/** Whether the selectors select a name of which no tags are known: those for tags are taken to match no host. */
export function selectedByName(name: string, selectors: readonly string[]): boolean {
  const matches = (selector: string): boolean =>
    selector === name || (!selector.startsWith('@') && glob(selector).test(name));
  const included = selectors.filter(selector => !selector.startsWith('!'));
  const excluded = selectors.filter(selector => selector.startsWith('!')).map(selector => selector.slice(1));
  return (included.length === 0 || included.some(matches)) && !excluded.some(matches);
}

/** A selection whose tags Nix matches while it evaluates them; `selects` in nix/glue.nix reads it. */
export interface TagSelection {
  /** Regular expressions of POSIX, for whole tags. */
  included: string[];
  excluded: string[];
  /** Whether other selectors include or exclude a host, and its tags if they replace those of the source. */
  hosts: Record<string, { included: boolean; excluded: boolean; tags: readonly string[] | null }>;
}

/** What `select` would select, as far as it can be said before the tags are known. @param tags of the input `targets`. */
export function tagSelection(
  names: readonly string[],
  selectors: readonly string[],
  tags: (host: string) => readonly string[] | null,
): TagSelection {
  const excludes = (selector: string): boolean => selector.startsWith('!') && !names.includes(selector);
  const isTag = (text: string): boolean => text.startsWith('@') && !names.includes(text);
  const included = selectors.filter(selector => !excludes(selector));
  const excluded = selectors.filter(excludes).map(selector => selector.slice(1));
  const named = (texts: readonly string[], name: string): boolean =>
    texts.some(text => text === name || (!isTag(text) && !names.includes(text) && glob(text).test(name)));
  const expressions = (texts: readonly string[]): string[] =>
    texts.filter(isTag).map(text => globSource(text.slice(1), /[\\^$.*+?()[{|]/));
  return {
    included: expressions(included),
    excluded: expressions(excluded),
    hosts: Object.fromEntries(
      names.map(name => [
        name,
        {
          included: included.length === 0 || named(included, name),
          excluded: named(excluded, name),
          tags: tags(name),
        },
      ]),
    ),
  };
}

/** Sorted by the first of these tags that each host has, hosts without any of them last, as morph's `ordering.tags` does. */
export function inOrder<T extends { tags: readonly string[] }>(hosts: readonly T[], order: readonly string[]): T[] {
  const rank = ({ tags }: T): number => {
    const index = order.findIndex(tag => tags.includes(tag));
    return index < 0 ? order.length : index;
  };
  return [...hosts].sort((a, b) => rank(a) - rank(b));
}

function pattern(selector: string): string {
  return selector.startsWith('!') ? selector.slice(1) : selector;
}

function glob(text: string): RegExp {
  return new RegExp(`^${globSource(text, /[\\^$.*+?()[\]{}|/]/)}$`, 'su');
}

/** The text of a regular expression for a glob. @param special characters that need a backslash. */
function globSource(text: string, special: RegExp): string {
  const parts = Array.from(text, char => {
    if (char === '*') return '.*';
    return char === '?' ? '.' : char.replace(special, '\\$&');
  });
  return parts.join('');
}

function unknown(selector: string, names: readonly string[], tags: (host: string) => readonly string[]): UserError {
  const isTag = selector.startsWith('@');
  const known = isTag ? [...new Set(names.flatMap(name => tags(name)))].sort().map(tag => `@${tag}`) : [...names];
  const kind = isTag ? 'tag' : 'host';
  const isGlob = /[*?]/.test(selector);
  const words = selector.split(/\s+/).filter(word => word !== '');
  const meant = isGlob ? null : nearest(selector, known);
  const text = JSON.stringify(selector);
  return new UserError(isGlob ? `No ${kind} matches ${text}.` : `There is no ${kind} ${text}.`, {
    where: { input: 'hosts' },
    cure: [
      ...(words.length > 1 && words.every(word => known.includes(word))
        ? [`Separate names by commas: ${words.join(', ')}.`]
        : []),
      ...(meant === null ? [] : [`Did you mean ${JSON.stringify(meant)}?`]),
      known.length === 0 ? `The source has no ${kind}s.` : `Known ${kind}s: ${known.map(show).join(', ')}.`,
    ].join(' '),
  });
}

function show(name: string): string {
  return /^@?[\w.-]+$/.test(name) ? name : JSON.stringify(name);
}
