import { stripVTControlCharacters } from 'node:util';

/**
 * Text that Markdown and HTML show unchanged, on one line. Whatever is not a letter, digit or plain punctuation becomes a
 * numeric character reference, which cannot start markup, a table cell or a link. GitHub looks for mentions and for numbers of
 * issues when it has resolved the references (github/markup#1168), so an invisible space interrupts these.
 */
export function escapeText(text: string): string {
  return plain(text)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/(?<![a-z0-9])@(?=[a-z0-9])|#(?=\d)|\bgh(?=-\d)/gi, '$&\u200b')
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

/** A block that shows `text` unchanged, even if it contains fences. */
export function codeBlock(text: string): string {
  const clean = plain(text).trimEnd();
  const longest = Math.max(2, ...(clean.match(/`+/g) ?? []).map(run => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${clean}\n${fence}`;
}

/** A folded section. `summary` must be escaped already, `body` is Markdown. */
export function details(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}
