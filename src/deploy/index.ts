import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import type { Target } from '../plan/fleet.ts';
import type { DeployConfig, Deployment } from './deployment.ts';
import { deployHost } from './host.ts';
import type { DeployInputs } from './inputs.ts';
import { readDeployKey } from './key.ts';
import { missingKnownHosts, readKnownHosts } from './known-hosts.ts';
import type { Mode, Outcome } from './outcome.ts';
import type { Remote } from './remote.ts';
import { isBad, rollOut } from './rollout.ts';
import { openSession, type Session } from './session.ts';
import { noUnits } from './units.ts';

export type { ClosureSource, DeployConfig, Deployer, Deployment } from './deployment.ts';
export { deploymentsOfArchives, deploymentsOfBuilt, outcomesOfUnbuilt } from './deployments.ts';
export { endLeftSession } from './session.ts';

/**
 * Checks the deploy key and the pinned host keys before anything else happens.
 *
 * @throws UserError as `deploy` would, but earlier.
 */
export function checkKeys({ mode, deployKey, knownHosts }: DeployInputs): void {
  if (mode === 'none') return;
  if (deployKey !== null) readDeployKey(deployKey);
  if (knownHosts !== null) readKnownHosts(knownHosts);
}

/**
 * Checks, before anything is built, that there is a target to deploy to and that host keys are pinned.
 *
 * @throws UserError as `deploy` would, but earlier.
 */
export function checkTargets(
  { mode, knownHosts }: DeployInputs,
  hosts: readonly (Pick<Deployment, 'target' | 'buildOnly'> & { unusable?: string | null })[],
): void {
  if (mode === 'none' || hosts.every(({ buildOnly }) => buildOnly)) return;
  const problems = hosts.flatMap(({ unusable }) => unusable ?? []);
  if (problems.length > 0) {
    throw new UserError([...new Set(problems)].join(' '), {
      where: { input: 'targets' },
      cure: 'Set it in `targets`, or leave these hosts out with `hosts`.',
    });
  }
  const targets = hosts.flatMap(({ target, buildOnly }) => (target === null || buildOnly ? [] : [target]));
  if (targets.length === 0) {
    throw new UserError(`mode is \`${mode}\`, but no host has a target.`, {
      where: { input: 'targets' },
      cure: 'Write `host: user@address` for each host in `targets`, or use `mode: none`.',
    });
  }
  if (knownHosts === null) throw missingKnownHosts(targets);
}

/**
 * Copies each closure to its target and activates it, hosts side by side; one that fails does not stop the others but
 * where `canary` or `maxFailures` says so. Answers one outcome for each deployment, in their order.
 *
 * @throws UserError before anything is changed: no pinned host keys, a key that is none, an address ssh cannot take.
 */
export async function deploy(
  deployments: readonly Deployment[],
  config: DeployConfig,
  nix: Nix,
  context: Context,
): Promise<Outcome[]> {
  const idle = new Map(deployments.map(each => [each.host, whyIdle(each, config.mode)] as const));
  const outcomes = deployments.flatMap(({ host }) => {
    const why = idle.get(host) ?? null;
    return why === null ? [] : [skipped(host, config.mode, why)];
  });
  const active = deployments.filter(({ host }) => idle.get(host) === null);
  if (active.length > 0) {
    const remotes = remotesOf(active);
    const session = await open(remotes, config, context);
    try {
      outcomes.push(...(await deployAll(remotes, session, config, nix, context)));
    } finally {
      await session.close();
    }
  }
  const order = new Map(deployments.map(({ host }, index) => [host, index] as const));
  return outcomes.sort((a, b) => (order.get(a.host) ?? 0) - (order.get(b.host) ?? 0));
}

/** Why nothing is done on a target for this host; null when something is. */
function whyIdle({ buildOnly, target }: Deployment, mode: Mode): string | null {
  if (mode === 'none') return 'The mode is `none`.';
  if (buildOnly) return 'The source says that this host is only built.';
  return target === null ? 'No target is known for it.' : null;
}

function skipped(host: string, mode: Mode, message: string): Outcome {
  return { host, outcome: 'skipped', mode, before: null, after: null, message, units: noUnits(), seconds: 0 };
}

interface Aliased {
  alias: string;
  host: string;
  target: Target;
  deployment: Deployment;
}

function remotesOf(deployments: readonly Deployment[]): Aliased[] {
  return deployments.flatMap((deployment, index) =>
    deployment.target === null
      ? []
      : [{ alias: `target-${index}`, host: deployment.host, target: deployment.target, deployment }],
  );
}

async function open(remotes: readonly Aliased[], config: DeployConfig, context: Context): Promise<Session> {
  if (!(config.parallel >= 1)) {
    throw new UserError(`parallel is ${config.parallel}.`, { where: { input: 'parallel' }, cure: 'Write 1 or more.' });
  }
  if (config.knownHosts === null || config.knownHosts.trim() === '') {
    throw missingKnownHosts(remotes.map(({ target }) => target));
  }
  const knownHosts = readKnownHosts(config.knownHosts);
  let key: string | null = null;
  if (config.deployKey !== null) {
    context.log.secret(config.deployKey);
    key = readDeployKey(config.deployKey);
    context.log.secret(key);
  }
  return openSession(remotes, key, knownHosts, context);
}

function deployAll(
  remotes: readonly Aliased[],
  session: Session,
  config: DeployConfig,
  nix: Nix,
  context: Context,
): Promise<Outcome[]> {
  const tell = (host: string, state: 'waiting' | 'done' | 'failed', text: string): void =>
    context.progress({ host, stage: 'deploy', state, text });
  for (const { host } of remotes) tell(host, 'waiting', '');
  return rollOut(
    remotes,
    config,
    async ({ deployment, ...target }) => {
      const remote: Remote = { ...target, session };
      const outcome = await deployHost(deployment, remote, config, nix, context);
      tell(outcome.host, isBad(outcome) ? 'failed' : 'done', `${outcome.outcome}: ${outcome.message}`);
      return outcome;
    },
    ({ host }, why) => {
      tell(host, 'done', `skipped: ${why}`);
      return skipped(host, config.mode, why);
    },
    context.signal,
  );
}
