import stringWidth from 'string-width';

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Shortens text to `width` terminal cells, with an ellipsis if something was cut. Never splits a character. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  if (width < 1) return '';
  let used = 0;
  let shortened = '';
  for (const { segment } of segmenter.segment(text)) {
    used += stringWidth(segment);
    // One cell is for the ellipsis.
    if (used > width - 1) break;
    shortened += segment;
  }
  return `${shortened}…`;
}

/** Text of exactly `width` terminal cells: cut, or padded with spaces. */
export function column(text: string, width: number): string {
  const shortened = cut(text, width);
  return shortened + ' '.repeat(width - stringWidth(shortened));
}
