import type { Archive, Manifest } from '../archive/index.ts';
import type { Built } from '../build/built.ts';
import { parseTargetSettings, targetOf } from '../plan/index.ts';
import type { Deployment } from './deployment.ts';
import type { Mode, Outcome } from './outcome.ts';
import { noUnits } from './units.ts';

/**
 * What to deploy of the hosts that were built from a source: all that did not fail.
 *
 * @param commit what they were built from; null if unknown.
 */
export function deploymentsOfBuilt(built: readonly Built[], commit: string | null): Deployment[] {
  return built.flatMap(one => {
    if (!one.ok) return [];
    const { name: host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets } = one.host;
    const said = { host, system, target, buildOnly, tags, healthChecks, preDeployChecks, secrets };
    return [
      { ...said, toplevel: one.toplevel, commit, closure: { from: 'store' as const }, closureBytes: one.closureBytes },
    ];
  });
}

/**
 * What to deploy of existing archives. They say nothing about checks and secrets.
 *
 * @param targets the input of that name, which alone says where each host runs.
 */
export function deploymentsOfArchives(
  archives: readonly (Archive & { manifest: Manifest })[],
  targets: Readonly<Record<string, unknown>>,
): Deployment[] {
  const none = { cmd: [], http: [] };
  return archives.map(({ host, system, toplevel, kind, directory, closureBytes, manifest }) => ({
    ...{ host, system, toplevel, closureBytes },
    commit: manifest.commit,
    target: host in targets ? targetOf(parseTargetSettings(targets[host], `targets.${host}`)) : null,
    closure: kind === 'full' ? { from: 'archive', directory } : { from: 'store' },
    ...{ buildOnly: false, tags: [], healthChecks: none, preDeployChecks: none, secrets: [] },
  }));
}

/** The outcomes of the hosts whose build failed: nothing was deployed to their targets. */
export function outcomesOfUnbuilt(built: readonly Built[], mode: Mode): Outcome[] {
  const message = 'It was not built; the target is as it was.';
  const nothing = { before: null, after: null, units: noUnits(), seconds: 0 };
  return built.flatMap(one =>
    one.ok ? [] : [{ host: one.host.name, outcome: 'skipped' as const, mode, message, ...nothing }],
  );
}
