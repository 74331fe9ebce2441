import type { Built } from '../build/built.ts';
import { mapConcurrently } from '../concurrency.ts';
import type { Context } from '../context.ts';
import type { DeployConfig } from '../deploy/deployment.ts';
import { connectionFailure } from '../deploy/failure.ts';
import { GateRefusal } from '../deploy/gate.ts';
import { type ActiveHost, aliasTargets, openTargets } from '../deploy/index.ts';
import type { Reading } from '../deploy/secrets/check.ts';
import { readIfThere } from '../deploy/secrets/read.ts';
import { isConnectionError, localSession, type Session } from '../deploy/session.ts';
import { explain } from '../errors.ts';
import { type Host, isLocal } from '../plan/fleet.ts';
import { AnswerError } from './answer.ts';
import { describeBuilt } from './built-system.ts';
import { changeOf } from './change.ts';
import { describeTarget } from './describe.ts';
import type { MachineDescription } from './description.ts';
import type { Preview, WhyUnknown } from './preview.ts';
import { compareWithKept } from './secrets.ts';

export { type Base, compareWithBase, needsBase, withoutTargets } from './base.ts';
export type { Change, NameChange, UnitChange } from './change.ts';
export { describeScript } from './describe.ts';
export type { KnownPreview, Preview, UnknownPreview, WhyUnknown } from './preview.ts';
export { isFailedPreview, wouldChange } from './preview.ts';
export type { Differing } from './since-preview.ts';
export { changesSincePreview } from './since-preview.ts';

type Success = Built & { ok: true };
type Config = Pick<DeployConfig, 'deployKey' | 'knownHosts' | 'ownSsh' | 'parallel'> & Reading;

/**
 * Compares each system that was built with the one that its target runs. Targets describe themselves; nothing is copied to
 * them, nothing of the source runs there, and nothing on them changes.
 *
 * @returns one entry per host, in the same order.
 * @throws UserError before a target is asked: no pinned host keys, an invalid key, an address that ssh does not accept.
 */
export async function preview(built: readonly Built[], config: Config, context: Context): Promise<Preview[]> {
  const asked = built.filter((one): one is Success => one.ok && whyNotAsked(one.host, config) === null);
  const targets = aliasTargets(asked.map(({ host }) => ({ host: host.name, target: host.target })));
  const answers = await withSession(targets, config, context, session =>
    mapConcurrently(targets, config.parallel, target => ask(target, session(target), context)),
  );
  const machines = new Map(answers.map(answer => [answer.host, answer] as const));
  const previews: Preview[] = [];
  // One after the other, because the description of a system takes memory.
  for (const one of built) previews.push(await compare(one, machines.get(one.host.name), config, context));
  return previews;
}

/** Why a target is not asked; null if it is. */
function whyNotAsked(host: Host, { deployKey, ownSsh }: Config): Preview | null {
  const unknown = (why: WhyUnknown, message: string): Preview => ({ host: host.name, known: false, why, message });
  if (host.buildOnly) return unknown('build-only', 'The source says that this host is only built.');
  if (host.target === null) return unknown('no-target', host.unusable ?? 'It has no target.');
  if (deployKey === null && !ownSsh && !isLocal(host.target)) {
    return unknown('no-key', 'There is no `deploy-key` to ask its target with, as in runs for forks.');
  }
  return null;
}

type Answer = { host: string } & ({ machine: MachineDescription } | { why: WhyUnknown; message: string });

async function withSession(
  targets: readonly ActiveHost[],
  config: Config,
  context: Context,
  work: (session: (target: ActiveHost) => Session) => Promise<Answer[]>,
): Promise<Answer[]> {
  if (targets.length === 0) return [];
  const remote = targets.filter(({ target }) => !isLocal(target));
  const local = localSession(context);
  const session = remote.length === 0 ? local : await openTargets(remote, config, context);
  try {
    return await work(({ target }) => (isLocal(target) ? local : session));
  } finally {
    await session.close();
  }
}

async function ask(active: ActiveHost, session: Session, context: Context): Promise<Answer> {
  const { host, alias } = active;
  const show = (state: 'running' | 'done' | 'failed', text: string): void =>
    context.progress({ host, stage: 'preview', state, text });
  show('running', 'asking its target');
  const answer = await describeTarget({ session, alias, target: active.target }, context.signal).then(
    (machine): Answer =>
      machine === null ? { host, why: 'first', message: 'Its target does not run NixOS yet.' } : { host, machine },
    (error: unknown): Answer => ({ host, ...whyUnanswered(error, active, session) }),
  );
  const failed = 'why' in answer && answer.why !== 'first';
  show(failed ? 'failed' : 'done', 'why' in answer ? answer.message : 'compared with its target');
  return answer;
}

function whyUnanswered(
  error: unknown,
  { target, alias }: ActiveHost,
  session: Session,
): { why: WhyUnknown; message: string } {
  if (isConnectionError(error)) {
    const access = { publicKey: session.publicKey, keyName: session.keyNames.get(alias) ?? null };
    const { outcome, message } = connectionFailure(error, target, 'probe', access);
    return { why: outcome === 'unreachable' || outcome === 'refused' ? outcome : 'failed', message };
  }
  if (error instanceof GateRefusal) return { why: 'refused', message: error.message };
  const why = error instanceof AnswerError ? error.message : `Its target could not describe itself: ${explain(error)}`;
  return { why: 'failed', message: why };
}

async function compare(one: Built, answer: Answer | undefined, config: Config, context: Context): Promise<Preview> {
  const host = one.host.name;
  if (!one.ok) return { host, known: false, why: 'not-built', message: 'It was not built.' };
  const idle = whyNotAsked(one.host, config);
  if (idle !== null) return idle;
  if (answer === undefined) return { host, known: false, why: 'failed', message: 'Its target was not asked.' };
  if ('why' in answer) return { known: false, ...answer };
  const { kernel, bootId, profile, boot } = answer.machine;
  const { secrets } = one.host;
  const contents = await Promise.all(secrets.map(secret => readIfThere(secret, config, context)));
  const change = {
    ...changeOf(answer.machine, await describeBuilt(one.toplevel, one.closure)),
    secrets: compareWithKept({ host, secrets, contents }, answer.machine.secrets, config.signingKey),
  };
  return { host, known: true, comparedWith: 'target', change, machine: { kernel, bootId, profile, boot } };
}
