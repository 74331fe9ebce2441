/** Unchanged lines that are shown around a change. */
const around = 2;

/** Cells of the table of a comparison, which takes time and memory in proportion to them. */
const largestTable = 1_000_000;

type Line = readonly [' ' | '-' | '+', string];

/** The difference of two small texts in lines, as a unified diff without its head; longer unchanged parts are `…`. */
export function lineDiff(before: string, after: string): string {
  const lines = compare(linesOf(before), linesOf(after));
  const near = (index: number): boolean =>
    lines.slice(Math.max(0, index - around), index + around + 1).some(([sign]) => sign !== ' ');
  const shown: string[] = [];
  for (const [index, [sign, text]] of lines.entries()) {
    if (near(index)) shown.push(`${sign}${text}`);
    else if (shown.at(-1) !== '…') shown.push('…');
  }
  return shown.map(line => `${line}\n`).join('');
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** By the longest common subsequence. Texts with very many lines are removed and added as a whole. */
function compare(before: readonly string[], after: readonly string[]): Line[] {
  if (before.length * after.length > largestTable) {
    return [...before.map((line): Line => ['-', line]), ...after.map((line): Line => ['+', line])];
  }
  const lengths = table(before, after);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push([' ', before[i] ?? '']);
      i++;
      j++;
    } else if (i < before.length && (j >= after.length || at(lengths, i + 1, j) >= at(lengths, i, j + 1))) {
      lines.push(['-', before[i++] ?? '']);
    } else lines.push(['+', after[j++] ?? '']);
  }
  return lines;
}

/** The length of the longest common subsequence of the lines from i and from j. */
function table(before: readonly string[], after: readonly string[]): number[][] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i--) {
    const row = lengths[i] ?? [];
    for (let j = after.length - 1; j >= 0; j--) {
      row[j] =
        before[i] === after[j] ? at(lengths, i + 1, j + 1) + 1 : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1));
    }
  }
  return lengths;
}

function at(lengths: readonly number[][], i: number, j: number): number {
  return lengths[i]?.[j] ?? 0;
}
