import { userInfo } from 'node:os';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import { isLocal, type Target } from '../plan/fleet.ts';
import type { DeployConfig, Deployer, Deployment } from './deployment.ts';
import { checkDistinct } from './distinct.ts';
import { throughGate } from './gate.ts';
import { HostDeployment } from './host.ts';
import type { DeployInputs } from './inputs.ts';
import type { Job } from './job.ts';
import { readDeployKey } from './key.ts';
import { missingKnownHosts, readKnownHosts } from './known-hosts.ts';
import { checkGates, signBuilt, signedOrders } from './order.ts';
import { isFailure, type Mode, type Outcome, skipped } from './outcome.ts';
import type { Remote } from './remote.ts';
import { checkWaves, rollOut, type Work } from './rollout.ts';
import { readSecrets } from './secrets/read.ts';
import { localSession, openSession, type Session } from './session.ts';
import { type AliasedTarget, checkSshTargets } from './ssh-config.ts';

export type { ClosureSource, DeployConfig, Deployer, Deployment, Origin } from './deployment.ts';
export { deploymentsOfArchives, deploymentsOfBuilt, deploymentsOfPlan, outcomesOfUnbuilt } from './deployments.ts';
export { checkSecrets } from './secrets/check.ts';
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
 * Checks, before anything is evaluated, that host keys are pinned for the targets that the input `targets` names.
 *
 * @throws UserError as `checkTargets` would, but earlier.
 */
export function checkKnownHosts(
  { mode, deployKey, knownHosts, ownSsh }: Pick<DeployConfig, 'mode' | 'deployKey' | 'knownHosts' | 'ownSsh'>,
  targets: readonly Target[],
): void {
  if (mode === 'none' || knownHosts !== null || ownSsh || asksNobody(mode, deployKey)) return;
  const remote = targets.filter(target => !isLocal(target));
  if (remote.length > 0) throw missingKnownHosts(remote);
}

/** Without a key, a preview knows no target that it can ask: in a run for a fork, for example. */
function asksNobody(mode: Mode, deployKey: string | null): boolean {
  return mode === 'preview' && deployKey === null;
}

/**
 * Checks, before anything is built, that there is a target to deploy to, that no two hosts have the same one, and that host
 * keys are pinned.
 *
 * @throws UserError as `deploy` would, but earlier.
 */
export function checkTargets(
  { mode, deployKey, signingKey, knownHosts, waves, ownSsh }: DeployInputs & Pick<Deployer, 'ownSsh'>,
  hosts: readonly (Pick<Deployment, 'host' | 'target' | 'buildOnly' | 'tags'> &
    Partial<Pick<Deployment, 'archive'>> & { unusable?: string | null })[],
): void {
  if (mode === 'none' || hosts.every(({ buildOnly }) => buildOnly)) return;
  // A preview asks those targets that it can.
  if (mode === 'preview') {
    const targets = hosts.flatMap(({ target }) => target ?? []);
    checkKnownHosts({ mode, deployKey, knownHosts, ownSsh }, targets);
    return;
  }
  const problems = hosts.flatMap(({ unusable }) => unusable ?? []);
  if (problems.length > 0) {
    throw new UserError([...new Set(problems)].join(' '), {
      where: { input: 'targets' },
      cure: 'Set it in `targets`, or leave these hosts out with `hosts`.',
    });
  }
  const targets = hosts.flatMap(({ target, buildOnly, host }) =>
    target === null || buildOnly ? [] : [{ target, host }],
  );
  const remote = targets.filter(({ target }) => !isLocal(target));
  if (targets.length === 0) {
    throw new UserError(`mode is \`${mode}\`, but no host has a target.`, {
      where: { input: 'targets' },
      cure: 'Write `host: user@address` for each host in `targets`, or use `mode: none`.',
    });
  }
  if (knownHosts === null && !ownSsh && remote.length > 0) throw missingKnownHosts(remote.map(({ target }) => target));
  checkSshTargets(remote);
  checkGates(
    hosts.filter(({ buildOnly }) => !buildOnly),
    { signingKey },
  );
  checkDistinct(hosts);
  checkWaves(hosts, waves);
}

/**
 * Copies each closure to its target and activates it, several hosts at a time. A failed host does not stop the others,
 * except as `canary`, `waves` and `maxFailures` say.
 *
 * @returns one outcome for each deployment, in the same order.
 * @throws UserError before anything is changed: two hosts with the same target, no pinned host keys, an invalid key, an
 * address that ssh does not accept, a secret that cannot be read.
 */
export async function deploy(
  deployments: readonly Deployment[],
  config: DeployConfig,
  nix: Nix,
  context: Context,
): Promise<Outcome[]> {
  const idle = new Map(deployments.map(each => [each.host, whySkipped(each, config.mode)] as const));
  const done = [...idle].flatMap(([host, why]) => (why === null ? [] : [skipped(host, config.mode, why)]));
  const active = aliasTargets(deployments.filter(({ host }) => idle.get(host) === null));
  if (active.length > 0) {
    checkDistinct(deployments);
    const secrets = await readSecrets(
      active.map(({ deployment }) => deployment),
      config,
      context,
    );
    const remote = active.filter(({ target }) => !isLocal(target));
    const gated = remote.filter(({ target }) => throughGate(target)).map(({ deployment }) => deployment);
    checkGates(gated, config);
    await signBuilt(
      remote.map(({ deployment }) => deployment),
      config,
      nix,
      context,
    );
    const orders = await signedOrders(gated, config, secrets, nix, context);
    const local = localSession(context);
    const session = remote.length === 0 ? local : await openTargets(remote, config, context);
    try {
      const withSecrets = active.map(each => ({
        ...each,
        secrets: secrets.get(each.host) ?? [],
        order: orders.get(each.host) ?? null,
      }));
      const sessionOf = (target: Target): Session => (isLocal(target) ? local : session);
      done.push(...(await deployAll(withSecrets, sessionOf, config, nix, context)));
    } finally {
      await session.close();
    }
  }
  const order = new Map(deployments.map(({ host }, index) => [host, index] as const));
  return done.sort((a, b) => (order.get(a.host) ?? 0) - (order.get(b.host) ?? 0));
}

/** Why nothing is done on a target for this host; null when something is. */
function whySkipped({ buildOnly, target, secrets }: Deployment, mode: Mode): string | null {
  if (mode === 'none') return 'The mode is `none`.';
  if (buildOnly) return 'The source says that this host is only built.';
  if (target === null) return 'It has no target.';
  return mode === 'secrets' && secrets.length === 0 ? 'It has no secrets.' : null;
}

/** A host with a target, and the name by which ssh's configuration knows it. */
export interface ActiveHost<D = unknown> extends AliasedTarget {
  deployment: D;
}

/** The hosts that have a target. */
export function aliasTargets<D extends Pick<Deployment, 'host' | 'target'>>(
  deployments: readonly D[],
): ActiveHost<D>[] {
  return deployments.flatMap((deployment, index) => {
    const { host, target } = deployment;
    if (target === null) return [];
    return [{ alias: `target-${index}`, host, target: isLocal(target) ? asThisUser(target) : target, deployment }];
  });
}

/** Without SSH, commands are run by the user of this process. */
function asThisUser(target: Target): Target {
  return { ...target, user: userInfo().username };
}

/**
 * Opens the session of all targets that are reached over SSH.
 *
 * @throws UserError for missing host keys, an invalid key, or an address that ssh does not accept.
 */
export async function openTargets(
  hosts: readonly ActiveHost[],
  config: Pick<DeployConfig, 'parallel' | 'knownHosts' | 'deployKey' | 'ownSsh'>,
  context: Context,
): Promise<Session> {
  if (!(config.parallel >= 1)) {
    throw new UserError(`parallel is ${config.parallel}.`, { where: { input: 'parallel' }, cure: 'Write 1 or more.' });
  }
  if (config.knownHosts === null && !config.ownSsh) throw missingKnownHosts(hosts.map(({ target }) => target));
  const knownHosts = config.knownHosts === null ? null : readKnownHosts(config.knownHosts);
  let key: string | null = null;
  if (config.deployKey !== null) {
    context.log.secret(config.deployKey);
    key = readDeployKey(config.deployKey);
    context.log.secret(key);
  }
  return openSession(hosts, key, knownHosts, context);
}

function deployAll(
  hosts: readonly (ActiveHost<Deployment> & Pick<Job, 'secrets'> & Pick<Remote, 'order'>)[],
  sessionOf: (target: Target) => Session,
  config: DeployConfig,
  nix: Nix,
  context: Context,
): Promise<Outcome[]> {
  const show = (host: string, state: 'waiting' | 'done' | 'failed', text: string): void =>
    context.progress({ host, stage: 'deploy', state, text });
  for (const { host } of hosts) show(host, 'waiting', '');
  const rolled = hosts.map(each => ({ ...each, tags: each.deployment.tags }));
  const begun = new Map<string, HostDeployment>();
  const work: Work<(typeof rolled)[number]> = {
    async prepare({ deployment, alias, host, target, secrets, order }, heldBack, onConnected) {
      const remote = { alias, host, target, session: sessionOf(target), order };
      const own = { ...config, ...deployment.overrides };
      const begins = new HostDeployment({ deployment, remote, config: own, secrets, nix, context });
      begun.set(host, begins);
      const outcome = await begins.prepare(heldBack, onConnected);
      if (outcome === null) show(host, 'waiting', 'ready to be activated');
      return outcome;
    },
    activate: ({ host }) => (begun.get(host) as HostDeployment).activate(),
    skip: ({ host }, why) => skipped(host, config.mode, why),
    ended: outcome =>
      show(outcome.host, isFailure(outcome) ? 'failed' : 'done', `${outcome.outcome}: ${outcome.message}`),
  };
  const cancelled = (): void =>
    context.log.info('Cancelled: no further host is started; activations that have begun are completed.');
  context.signal.addEventListener('abort', cancelled, { once: true });
  return rollOut(rolled, config, work, context.signal).finally(() =>
    context.signal.removeEventListener('abort', cancelled),
  );
}
