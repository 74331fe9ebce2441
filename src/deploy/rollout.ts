import type { DeployConfig } from './deployment.ts';

/** The hosts in the order of the roll-out: waves, of which the next starts only when the one before has succeeded. */
export function waves<T>(items: readonly T[], canary: DeployConfig['canary']): T[][] {
  if (canary === null || items.length === 0) return [[...items]];
  const share = 'hosts' in canary ? canary.hosts : Math.ceil(items.length * canary.part);
  const first = Math.min(Math.max(share, 0), items.length);
  return [items.slice(0, first), items.slice(first)].filter(wave => wave.length > 0);
}
