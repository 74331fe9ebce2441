import { stripVTControlCharacters } from 'node:util';

/**
 * Text that Markdown and HTML show as it is, on one line: whatever is no letter, digit or plain punctuation becomes a
 * numeric character reference, which neither opens markup, nor a table's cell, nor an address or mention.
 */
export function escapeText(text: string): string {
  return plain(text)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[^\p{L}\p{N} .,/+=%-]/gu, reference)
    .replaceAll(/\b(www)\./gi, '$1&#46;');
}

function reference(character: string): string {
  return `&#${character.codePointAt(0)};`;
}

/** Text without terminal sequences and without control characters other than tab and newline. */
export function plain(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll('\r\n', '\n')
    .replaceAll(/(?![\t\n])\p{C}/gu, '');
}

/** A block that shows `text` as it is, whatever fences it holds itself. */
export function codeBlock(text: string): string {
  const clean = plain(text).trimEnd();
  const longest = Math.max(2, ...(clean.match(/`+/g) ?? []).map(run => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${clean}\n${fence}`;
}

/** A folded part; `summary` is escaped already, `body` is Markdown. */
export function details(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}
