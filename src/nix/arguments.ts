/** Store paths that one call gets: keeps its arguments far below Linux's limit of 2 MiB. */
const pathsPerCall = 2_000;

/** Splits store paths (or what describes one each) into parts that can be arguments of one call. */
export function inParts<T>(paths: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let first = 0; first < paths.length; first += pathsPerCall) parts.push(paths.slice(first, first + pathsPerCall));
  return parts;
}
