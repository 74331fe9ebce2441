/** The candidate that was most likely meant: the one with the fewest edits, if these are at most a third of the word. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: { candidate: string; edits: number } | null = null;
  for (const candidate of candidates) {
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (edits <= Math.max(1, Math.floor(word.length / 3)) && (best === null || edits < best.edits)) {
      best = { candidate, edits };
    }
  }
  return best?.candidate ?? null;
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, at(i - 2, j - 2) + 1);
      rows[i]?.push(edits);
    }
  }
  return at(a.length, b.length);
}
