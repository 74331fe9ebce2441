/** Negative if `a` is older than `b`, 0 if their numbers are equal; a missing number is 0, as is a word after a number. */
export function compareVersions(a: string, b: string): number {
  const numbers = (version: string): number[] => version.split('.').map(part => Number.parseInt(part, 10) || 0);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
