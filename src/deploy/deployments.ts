import type { Archive, Manifest } from '../archive/index.ts';
import type { Built } from '../build/built.ts';
import { parseTargetSettings, targetOf } from '../plan/index.ts';
import type { Deployment, Origin } from './deployment.ts';
import { type Mode, type Outcome, skipped } from './outcome.ts';

/** The deployments of the hosts that were built from a source. */
export function deploymentsOfBuilt(built: readonly Built[], origin: Origin): Deployment[] {
  return built.flatMap(one => {
    if (!one.ok) return [];
    const { name: host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets } = one.host;
    const settings = { host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets };
    return [
      {
        ...settings,
        toplevel: one.toplevel,
        origin,
        closure: { from: 'store' as const },
        closureBytes: one.closureBytes,
      },
    ];
  });
}

/**
 * The deployments of existing archives, which contain no checks and secrets.
 *
 * @param targets the input of that name: the only source of the hosts' targets.
 */
export function deploymentsOfArchives(
  archives: readonly (Archive & { manifest: Manifest })[],
  targets: Readonly<Record<string, unknown>>,
): Deployment[] {
  const none = { cmd: [], http: [] };
  return archives.map(({ host, system, toplevel, kind, directory, closureBytes, manifest }) => ({
    ...{ host, system, toplevel, closureBytes },
    origin: originOf(manifest),
    target: host in targets ? targetOf(parseTargetSettings(targets[host], `targets.${host}`)) : null,
    closure: kind === 'full' ? { from: 'archive', directory } : { from: 'store' },
    ...{ buildOnly: false, tags: [], healthChecks: none, preDeployChecks: none, secrets: [] },
  }));
}

function originOf({ commit, repository, branch, committed }: Manifest): Origin {
  return { commit, repository, branch: branch ?? null, committed: committed ?? null };
}

/** The outcomes of the hosts whose build failed: nothing was deployed to their targets. */
export function outcomesOfUnbuilt(built: readonly Built[], mode: Mode): Outcome[] {
  const message = 'It was not built; the target was not changed.';
  return built.flatMap(one => (one.ok ? [] : [skipped(one.host.name, mode, message)]));
}
