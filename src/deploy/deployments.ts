import type { Archive, Manifest } from '../archive/index.ts';
import type { Built } from '../build/built.ts';
import type { Host } from '../plan/fleet.ts';
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

/** The deployments that send only secrets, which need no build. */
export function deploymentsOfPlan(hosts: readonly Host[], origin: Origin): Deployment[] {
  return hosts.map(
    ({ name: host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets, toplevel }) => ({
      ...{ host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets, origin },
      toplevel: toplevel.outPath,
      closure: { from: 'store' as const },
      closureBytes: null,
    }),
  );
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
    origin: { commit: manifest.commit, repository: manifest.repository, branch: null, committed: null },
    target: host in targets ? targetOf(parseTargetSettings(targets[host], `targets.${host}`)) : null,
    closure: kind === 'full' ? { from: 'archive', directory } : { from: 'store' },
    ...{ buildOnly: false, tags: [], healthChecks: none, preDeployChecks: none, secrets: [] },
  }));
}

/** The outcomes of the hosts whose build failed: nothing was deployed to their targets. */
export function outcomesOfUnbuilt(built: readonly Built[], mode: Mode): Outcome[] {
  const message = 'It was not built; the target was not changed.';
  return built.flatMap(one => (one.ok ? [] : [skipped(one.host.name, mode, message)]));
}
