import { count } from '../amounts.ts';
import type { EtcChange } from '../preview/etc.ts';
import { codeBlock, details, escapeText } from './markdown.ts';

/** Files that are named before the folded diffs, at most. */
const namedFiles = 8;

/** Files whose diffs are shown, at most. */
const shownFiles = 30;

/** Lines of a diff that are shown, at most. */
const shownLines = 60;

/** Characters of a line of a diff that are shown, at most. */
const shownColumns = 300;

const verbs = { added: 'added', removed: 'removed', changed: 'changed' } as const;

/** The files of /etc that change: one line with their names, and folded diffs. Empty if there are none. */
export function etcParts(changes: readonly EtcChange[]): { line: string | null; diffs: string | null } {
  const own = changes.filter(({ rebuilt }) => !rebuilt);
  const rebuilt = changes.length - own.length;
  const words = (['added', 'removed', 'changed'] as const).flatMap(kind => {
    const names = own.filter(change => change.kind === kind).map(({ name }) => name);
    return names.length === 0 ? [] : [`${verbs[kind]} ${shorten(names)}`];
  });
  if (rebuilt > 0) words.push(`${count(rebuilt, 'file')} with other store paths only`);
  return { line: words.length === 0 ? null : `**/etc**: ${words.join('; ')}`, diffs: diffsOf(own) };
}

function shorten(names: readonly string[]): string {
  const shown = names.slice(0, namedFiles).map(name => `<code>${escapeText(name)}</code>`);
  return shown.join(' ') + (names.length > namedFiles ? ` and ${names.length - namedFiles} more` : '');
}

function diffsOf(changes: readonly EtcChange[]): string | null {
  const known = changes.filter(({ diff }) => diff !== null);
  const hidden = changes.length - known.length;
  if (known.length === 0) return null;
  const shown = known.slice(0, shownFiles).map(({ name, diff }) => {
    return `<code>/etc/${escapeText(name)}</code>\n\n${codeBlock(shortDiff(diff ?? ''), 'diff')}`;
  });
  const left = known.length - shownFiles;
  const notes = [
    ...(left > 0 ? [`${count(left, 'more file')} with a diff.`] : []),
    ...(hidden > 0 ? [`${count(hidden, 'file')} without a diff: large, not text, or possibly secret.`] : []),
  ];
  return details(`Diffs of ${count(known.length, 'file')} in /etc`, [...shown, ...notes].join('\n\n'));
}

/** A diff in which store paths have no hashes, because they differ on every host and tell a reader nothing. */
function shortDiff(diff: string): string {
  const lines = diff.trimEnd().split('\n');
  const shown = lines.slice(0, shownLines).map(line => {
    const text = line.replace(/\/nix\/store\/[0-9a-z]{32}-/g, '/nix/store/…-');
    return text.length > shownColumns ? `${text.slice(0, shownColumns)}…` : text;
  });
  return [...shown, ...(lines.length > shownLines ? [`… ${count(lines.length - shownLines, 'more line')}`] : [])].join(
    '\n',
  );
}
