import type { Context } from '../context.ts';
import { explain } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import { describeBuilt } from './built-system.ts';
import { type Change, changeBetween } from './change.ts';

/** A host whose system is not the one that was previewed. Both are toplevels. */
export interface Differing {
  host: string;
  previewed: string;
  built: string;
}

/** Milliseconds for fetching the systems that were previewed: the deployment waits for it. */
const patience = 120_000;

/**
 * What differs between the systems that were previewed and those that will be deployed. The previewed ones are in the store if
 * this machine or its cache has built them, or they are fetched from a substituter; they are never built.
 *
 * @returns the changes by host; a host is missing if one of its systems is not available. It never throws.
 */
export async function changesSincePreview(
  differing: readonly Differing[],
  nix: Nix,
  context: Context,
): Promise<Record<string, Change>> {
  const changes: Record<string, Change> = {};
  if (differing.length === 0) return changes;
  try {
    const paths = [...new Set(differing.flatMap(({ previewed, built }) => [previewed, built]))];
    const valid = await fetched(paths, nix, context);
    for (const { host, previewed, built } of differing) {
      if (!valid.has(previewed) || !valid.has(built)) continue;
      const [before, after] = await Promise.all([previewed, built].map(path => described(path, nix)));
      if (before !== undefined && after !== undefined) changes[host] = changeBetween(before, after);
    }
  } catch (error) {
    context.log.debug(`What differs from the preview is not known: ${explain(error)}`);
  }
  return changes;
}

async function fetched(paths: readonly string[], nix: Nix, { signal, log }: Context): Promise<Set<string>> {
  const present = await nix.valid(paths);
  // A derivation would be built. Whoever can push a branch can write its preview.
  const missing = paths.filter(path => !present.has(path) && !path.endsWith('.drv'));
  if (missing.length === 0) return present;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  // A store path that is no derivation can only be substituted.
  await nix.run('nix-store', ['--realise', '--keep-going', ...missing], { signal: limited }).catch((error: unknown) => {
    log.debug(`Systems that were previewed are not in a cache: ${explain(error)}`);
  });
  return nix.valid(paths);
}

async function described(toplevel: string, nix: Nix) {
  return describeBuilt(toplevel, await nix.closure([toplevel]));
}
