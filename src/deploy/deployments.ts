import type { Archive, Manifest } from '../archive/index.ts';
import type { Built } from '../build/built.ts';
import type { Host } from '../plan/fleet.ts';
import { overridesOf, parseTargetSettings, targetOf } from '../plan/index.ts';
import type { Deployment, Origin } from './deployment.ts';
import { type Mode, type Outcome, skipped } from './outcome.ts';

/** The deployments of the hosts that were built from a source. */
export function deploymentsOfBuilt(built: readonly Built[], origin: Origin): Deployment[] {
  return built.flatMap(one => {
    if (!one.ok) return [];
    const { name: host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets, overrides } = one.host;
    const settings = { host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets, overrides };
    return [
      {
        ...settings,
        toplevel: one.toplevel,
        origin,
        closure: { from: 'store' as const },
        archive: null,
        closureBytes: one.closureBytes,
      },
    ];
  });
}

/** The deployments that send only secrets, which need no build. */
export function deploymentsOfPlan(hosts: readonly Host[], origin: Origin): Deployment[] {
  return hosts.map(
    ({ name: host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets, overrides, toplevel }) => ({
      ...{ host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets, overrides, origin },
      toplevel: toplevel.outPath,
      closure: { from: 'store' as const },
      archive: null,
      closureBytes: null,
    }),
  );
}

/**
 * The deployments of existing archives, which contain no targets, tags, checks and secrets.
 *
 * @param targets the input of that name: the only source of these, except secrets.
 */
export function deploymentsOfArchives(
  archives: readonly (Archive & { manifest: Manifest })[],
  targets: Readonly<Record<string, unknown>>,
): Deployment[] {
  return archives.map(({ host, system, toplevel, kind, directory, closureBytes, manifest }) => {
    const settings = host in targets ? parseTargetSettings(targets[host], `targets.${host}`) : {};
    return {
      ...{ host, system, toplevel, closureBytes },
      origin: originOf(manifest),
      target: targetOf(settings),
      closure: kind === 'full' ? { from: 'archive', directory } : { from: 'store' },
      archive: directory,
      ...{ buildOnly: false, tags: settings.tags ?? [], overrides: overridesOf(settings) },
      healthChecks: { cmd: [], http: [], ...settings.healthChecks },
      preDeployChecks: { cmd: [], http: [], ...settings.preDeployChecks },
      secrets: [],
    };
  });
}

function originOf({ commit, repository, branch, committed }: Manifest): Origin {
  return { commit, repository, branch: branch ?? null, committed: committed ?? null };
}

/** The outcomes of the hosts whose build failed: nothing was deployed to their targets. */
export function outcomesOfUnbuilt(built: readonly Built[], mode: Mode): Outcome[] {
  const message = 'It was not built; the target was not changed.';
  return built.flatMap(one => (one.ok ? [] : [skipped(one.host.name, mode, message)]));
}
