import { UserError } from '../errors.ts';
import { nearest } from '../nearest.ts';

/** True when the selection cannot be made without knowing the hosts' tags. */
export function needsTags(selectors: readonly string[]): boolean {
  return selectors.some(selector => pattern(selector).startsWith('@'));
}

/**
 * The hosts that the selectors name, in the order of `names`.
 *
 * A selector is a name, a glob (`*` any characters, `?` one), `@tag` (a glob too) or any of these after `!`, which leaves
 * out. Without one that takes in, all hosts are taken in. A name stands for itself first, so that a host whose name holds
 * `*`, `@` or `!` can be named.
 *
 * @param tags a host's tags; asked only when needsTags() says so.
 * @throws UserError when a selector meets no host: it names the selector, the known ones and the nearest.
 */
export function select(
  names: readonly string[],
  selectors: readonly string[],
  tags: (host: string) => readonly string[],
): string[] {
  const meets = (selector: string): Set<string> => {
    if (names.includes(selector)) return new Set([selector]);
    const met = selector.startsWith('@')
      ? names.filter(name => tags(name).some(tag => glob(selector.slice(1)).test(tag)))
      : names.filter(name => glob(selector).test(name));
    if (met.length === 0) throw unknown(selector, names, tags);
    return new Set(met);
  };
  const leavesOut = (selector: string): boolean => selector.startsWith('!') && !names.includes(selector);
  const taken = selectors.filter(selector => !leavesOut(selector)).map(meets);
  const left = selectors.filter(leavesOut).map(selector => meets(selector.slice(1)));
  return names.filter(
    name => (taken.length === 0 || taken.some(met => met.has(name))) && !left.some(met => met.has(name)),
  );
}

/** Sorted by the first of these tags that each host has, hosts with none of them last: what morph's `ordering.tags` asks. */
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
  const parts = Array.from(text, char => {
    if (char === '*') return '.*';
    return char === '?' ? '.' : char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 'su');
}

function unknown(selector: string, names: readonly string[], tags: (host: string) => readonly string[]): UserError {
  const isTag = selector.startsWith('@');
  const known = isTag ? [...new Set(names.flatMap(name => tags(name)))].sort().map(tag => `@${tag}`) : [...names];
  const meant = nearest(selector, known);
  const kind = isTag ? 'tag' : 'host';
  return new UserError(`There is no ${kind} ${JSON.stringify(selector)}.`, {
    where: { input: 'hosts' },
    cure: [
      ...(meant === null ? [] : [`Did you mean ${JSON.stringify(meant)}?`]),
      known.length === 0 ? `The source has no ${kind}s.` : `Known ${kind}s: ${known.map(show).join(', ')}.`,
    ].join(' '),
  });
}

function show(name: string): string {
  return /^@?[\w.-]+$/.test(name) ? name : JSON.stringify(name);
}
