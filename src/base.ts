import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build } from './build/index.ts';
import type { Context } from './context.ts';
import { UserError } from './errors.ts';
import type { PullRequest } from './event.ts';
import type { Config } from './inputs.ts';
import type { Nix } from './nix/index.ts';
import type { Fleet } from './plan/fleet.ts';
import {
  checkOut,
  mergeBase,
  type PlanConfig,
  plan,
  type Revision,
  repositoryOf,
  selectedByName,
} from './plan/index.ts';
import type { Base } from './preview/index.ts';
import { inTime } from './time-limits.ts';

/** What is compared with its base. */
export interface Compared {
  fleet: Fleet;
  /** The hosts that are compared; all if left out. */
  hosts?: readonly string[];
  /** With which the fleet was planned. */
  planConfig: PlanConfig;
  /** Null outside of a pull request. */
  pull: PullRequest | null;
}

/** What builds the base. */
export interface Builder {
  /** Nix, once it is prepared for the systems of these hosts. */
  nixFor: (fleet: Fleet, context: Context) => Promise<Nix>;
  context: Context;
}

/**
 * Checks, before anything is evaluated, that a preview that compares only with the base has one.
 *
 * @throws UserError if neither an input nor the event names it.
 */
export function checkBase({ deploy, preview }: Pick<Config, 'deploy' | 'preview'>, pull: PullRequest | null): void {
  if (deploy.mode !== 'preview' || preview.compare !== 'base' || preview.base !== null) return;
  if (pull !== null && (pull.head !== null || pull.base !== null)) return;
  throw new UserError('`compare: base` needs a base, and this run is not for a pull request.', {
    where: { input: 'compare' },
    cure: 'Set `base` to a commit, branch or tag.',
  });
}

/**
 * Evaluates and builds, at the base commit, the hosts that were planned, from a clean checkout. Hosts whose system is the same
 * are not built again, and those that only the base defines are not evaluated.
 *
 * @returns null if there is no base to compare with.
 * @throws UserError if the base cannot be found, fetched or evaluated.
 */
export async function buildBase(compared: Compared, config: Config, builder: Builder): Promise<Base | null> {
  const { fleet, planConfig, pull, hosts = fleet.hosts.map(({ name }) => name) } = compared;
  const context = await quiet(builder.context);
  const repository = await repositoryOf(fleet.source, context);
  const revision = repository === null ? null : await revisionOf(config.preview.base, repository.root, pull, context);
  if (repository === null || revision === null) {
    if (config.preview.base === null) return null;
    throw new UserError(`${fleet.source} is not in a Git repository, so it has no base.`, { where: { input: 'base' } });
  }
  const { root, commit } = await checkOut(revision, repository, join(context.scratch, 'checkout'), context);
  const source = join(root, relative(repository.root, fleet.source));
  const { files = [] } = planConfig;
  // A folder or a file that this change adds.
  const missing = [source, ...files.map(file => join(source, file))].some(path => !existsSync(path));
  const folders = { before: source, after: fleet.source };
  if (missing) return { commit, folders, names: [], built: [], failures: [], removed: [] };

  const baseConfig = { ...planConfig, source, only: hosts };
  const planned = await inTime(context, 'plan-timeout', config.plan.planTimeout, async limited =>
    plan(baseConfig, await builder.nixFor({ ...fleet, hosts: [] }, limited), limited),
  );
  const nix = await builder.nixFor(planned, context);
  const { built } = await build(planned, config.build, nix, context);
  return {
    commit,
    folders,
    names: planned.names,
    built,
    failures: planned.failures,
    removed: planned.names.filter(name => !fleet.names.includes(name) && selectedByName(name, config.plan.hosts)),
  };
}

/**
 * What a pull request would be merged into, if no input says otherwise: the commit that GitHub merged it with, if that merge is
 * checked out, because the base of the event may be older.
 */
async function revisionOf(
  input: string | null,
  root: string,
  pull: PullRequest | null,
  context: Context,
): Promise<Revision | null> {
  if (input !== null) return { name: input, input: 'base' };
  if (pull === null) return null;
  const name = (pull.head === null ? null : await mergeBase(root, pull.head, context)) ?? pull.base;
  return name === null ? null : { name, input: null };
}

/** A context with its own directory, in which nothing is said twice: of each host, only what takes time is shown. */
async function quiet(context: Context): Promise<Context> {
  const scratch = join(context.scratch, 'base');
  await mkdir(scratch, { recursive: true });
  const { log } = context;
  const hide = (message: string): void => log.debug(`base: ${message}`);
  return {
    ...context,
    scratch,
    log: { ...log, info: hide, notice: hide, warning: hide, error: hide },
    progress: event => {
      if (!('host' in event) || event.state !== 'running') return;
      context.progress({ ...event, stage: 'preview', text: `the base: ${event.text}` });
    },
  };
}
