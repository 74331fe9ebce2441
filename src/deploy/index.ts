import { mapConcurrently } from '../concurrency.ts';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import type { Target } from '../plan/fleet.ts';
import type { DeployConfig, Deployment } from './deployment.ts';
import { deployHost } from './host.ts';
import { readDeployKey } from './key.ts';
import { missingKnownHosts, readKnownHosts } from './known-hosts.ts';
import type { Outcome, OutcomeKind } from './outcome.ts';
import { waves } from './rollout.ts';
import { openSession, type Session } from './session.ts';
import { noUnits } from './units.ts';

export type { ClosureSource, DeployConfig, Deployment } from './deployment.ts';
export { endLeftSession } from './session.ts';

/** Outcomes that stop a roll-out. */
const bad: ReadonlySet<OutcomeKind> = new Set(['degraded', 'refused', 'rolled-back', 'unreachable', 'failed']);

type Reachable = Deployment & { target: Target };

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
  const outcomes = new Map<string, Outcome>();
  const skip = (host: string, message: string): void => {
    outcomes.set(host, {
      host,
      outcome: 'skipped',
      mode: config.mode,
      before: null,
      after: null,
      message,
      units: noUnits(),
      seconds: 0,
    });
  };
  for (const { host, buildOnly, target } of deployments) {
    if (config.mode === 'none') skip(host, 'The mode is `none`.');
    else if (buildOnly) skip(host, 'The source says that this host is only built.');
    else if (target === null) skip(host, 'No target is known for it.');
  }
  const reachable = deployments.filter((each): each is Reachable => !outcomes.has(each.host) && each.target !== null);
  if (reachable.length > 0) {
    const session = await open(reachable, config, context);
    try {
      await rollOut(reachable, session, config, nix, context, outcomes, skip);
    } finally {
      await session.close();
    }
  }
  return deployments.flatMap(({ host }) => outcomes.get(host) ?? []);
}

async function open(deployments: readonly Reachable[], config: DeployConfig, context: Context): Promise<Session> {
  const targets = deployments.map(({ target }) => target);
  if (config.knownHosts === null || config.knownHosts.trim() === '') throw missingKnownHosts(targets);
  const knownHosts = readKnownHosts(config.knownHosts);
  const key = config.deployKey === null ? null : readDeployKey(config.deployKey);
  for (const line of key?.split('\n') ?? []) if (line.length > 8 && !line.startsWith('-----')) context.log.secret(line);
  if (!(config.parallel >= 1))
    throw new UserError(`parallel is ${config.parallel}.`, { where: { input: 'parallel' }, cure: 'Write 1 or more.' });
  const aliased = deployments.map(({ host, target }, index) => ({ alias: alias(index), host, target }));
  return openSession(aliased, key, knownHosts, context);
}

function alias(index: number): string {
  return `target-${index}`;
}

async function rollOut(
  deployments: readonly Reachable[],
  session: Session,
  config: DeployConfig,
  nix: Nix,
  context: Context,
  outcomes: Map<string, Outcome>,
  skip: (host: string, message: string) => void,
): Promise<void> {
  const remotes = new Map(
    deployments.map(({ host, target }, index) => [host, { alias: alias(index), host, target, session }] as const),
  );
  const failed: string[] = [];
  let held: string | null = null;
  for (const [index, wave] of waves(deployments, config.canary).entries()) {
    await mapConcurrently(wave, config.parallel, async deployment => {
      const { host } = deployment;
      const remote = remotes.get(host);
      if (remote === undefined) return;
      if (context.signal.aborted) return skip(host, 'Cancelled before its turn.');
      if (held !== null) return skip(host, held);
      const outcome = await deployHost(deployment, remote, config, nix, context);
      outcomes.set(host, outcome);
      const { message } = outcome;
      context.progress({
        host,
        stage: 'deploy',
        state: bad.has(outcome.outcome) ? 'failed' : 'done',
        text: `${outcome.outcome}: ${message}`,
      });
      if (!bad.has(outcome.outcome)) return;
      failed.push(host);
      if (config.maxFailures !== null && failed.length > config.maxFailures) {
        held = `Held back: ${failed.join(', ')} failed, and max-failures is ${config.maxFailures}.`;
      }
    });
    if (index === 0 && config.canary !== null && failed.length > 0)
      held ??= `Held back: ${failed.join(', ')} failed as canary.`;
  }
}
