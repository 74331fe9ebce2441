/** One row of the table that `npm run bench` prints. */
export interface Comparison {
  /** What was measured, for example `set-up as root`. */
  what: string;
  /** Seconds that this project takes. */
  ours: number;
  /** What it is compared with, for example `untar and load-db by hand`. */
  reference: string;
  /** Seconds that the reference takes. */
  theirs: number;
  /** The most that `ours / theirs` should be. */
  expected: number;
}

/** Adds a row to the table: one line of JSON on standard output, which scripts/testbed-ratios.mjs reads. */
export function compare(comparison: Comparison): void {
  console.log(JSON.stringify(comparison));
}

/** The fastest of a few runs is the one that other work on the machine disturbed least. @throws if there is none. */
export function fastest(seconds: readonly number[]): number {
  if (seconds.length === 0) throw new Error('nothing was measured');
  return Math.min(...seconds);
}

/** Seconds that `work` takes, and its result. */
export async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const began = performance.now();
  const result = await work();
  return { seconds: (performance.now() - began) / 1000, result };
}
