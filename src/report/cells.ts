const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Text cut to `width` cells of a terminal, with an ellipsis where something was cut; whole characters only. */
export function cut(text: string, width: number): string {
  let used = 0;
  let kept = '';
  for (const { segment } of segments.segment(text)) {
    const next = cells(segment);
    if (used + next > width) return ellipsis(kept, used, width);
    used += next;
    kept += segment;
  }
  return kept;
}

function ellipsis(kept: string, used: number, width: number): string {
  if (width < 1) return '';
  const characters = [...segments.segment(kept)].map(({ segment }) => segment);
  let free = width - used;
  while (free < 1) free += cells(characters.pop() ?? ' ');
  return `${characters.join('')}…`;
}

// East Asian wide and fullwidth blocks and emoji take two cells (Unicode TR 11); close enough for host names and logs.
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

function cells(segment: string): number {
  if (/^\p{M}+$/u.test(segment)) return 0;
  return wide.test(segment) ? 2 : 1;
}

/** Text of exactly `width` cells: cut, or filled with spaces. */
export function column(text: string, width: number): string {
  const kept = cut(text, width);
  return kept + ' '.repeat(width - cellsOf(kept));
}

export function cellsOf(text: string): number {
  return [...segments.segment(text)].reduce((sum, { segment }) => sum + cells(segment), 0);
}
