import type { Built } from '../build/built.ts';
import { type BuiltSystem, describeBuilt } from './built-system.ts';
import { changeBetween } from './change.ts';
import type { PreviewInputs } from './inputs.ts';
import type { Preview, WhyUnknown } from './preview.ts';
import { compareSecrets } from './secrets.ts';

/** The base commit, with the systems that it builds. */
export interface Base {
  commit: string;
  /** All hosts that it defines. */
  names: readonly string[];
  built: readonly Built[];
  /** The folders of the sources of the base and of what is compared with it. */
  folders: { before: string; after: string };
  /** The hosts whose system it cannot evaluate, and why. */
  failures: readonly { host: string; message: string }[];
  /** The hosts that only the base defines, as far as they are selected. */
  removed: readonly string[];
}

type Success = Built & { ok: true };

/** Reasons for which the base takes the place of the target. A target that runs no NixOS yet has nothing to compare. */
const replaced: readonly WhyUnknown[] = ['build-only', 'no-target', 'no-key', 'unreachable'];

/** Whether a host is compared with the base, after what was learnt of its target. */
export function needsBase(preview: Preview, compare: PreviewInputs['compare']): boolean {
  if (compare === 'target' || preview.known) return false;
  return compare === 'base' ? preview.why !== 'not-built' : replaced.includes(preview.why);
}

/** The result for each host if no target is asked. */
export function withoutTargets(built: readonly Built[]): Preview[] {
  return built.map(({ ok, host: { name: host } }) =>
    ok
      ? { host, known: false, why: 'no-base', message: 'It was not compared.' }
      : { host, known: false, why: 'not-built', message: 'It was not built.' },
  );
}

/**
 * Compares hosts with the system that the base builds for them. Nothing is known there of what runs: the change says "if
 * running" of units.
 *
 * @param previews one per host that was built, in the same order; those that do not need the base are returned as they are.
 * @returns also the hosts that only the base defines.
 */
export async function compareWithBase(
  previews: readonly Preview[],
  built: readonly Built[],
  base: Base,
  compare: PreviewInputs['compare'],
): Promise<Preview[]> {
  const compared: Preview[] = [];
  // One after the other, because the description of a system takes memory.
  for (const preview of previews) {
    const after = built.find((one): one is Success => one.ok && one.host.name === preview.host);
    const needed = after !== undefined && needsBase(preview, compare);
    compared.push(needed ? await compareOne(preview, after, base) : preview);
  }
  const removed = base.removed.map((host): Preview => {
    return { host, known: false, why: 'removed', message: 'The base defines it, and this commit does not.' };
  });
  return [...compared, ...removed];
}

async function compareOne(preview: Preview, after: Success, base: Base): Promise<Preview> {
  const { host } = preview;
  const unknown = (why: WhyUnknown, message: string): Preview => ({ host, known: false, why, message });
  if (!base.names.includes(host)) return unknown('new', 'The base does not define it.');
  const before = base.built.find(one => one.host.name === host);
  if (before === undefined) {
    const message = base.failures.find(failure => failure.host === host)?.message ?? 'it was not evaluated.';
    return unknown('no-base', `The base cannot be evaluated: ${message}`);
  }
  if (!before.ok) return unknown('no-base', `The system of the base was not built: ${before.failure.message}`);
  const system = await describe(after);
  const change = {
    ...changeBetween(before.toplevel === after.toplevel ? system : await describe(before), system),
    secrets: compareSecrets(
      { secrets: before.host.secrets, folder: base.folders.before },
      { secrets: after.host.secrets, folder: base.folders.after },
    ),
  };
  const instead = preview.known || preview.why === 'no-base' ? null : preview.message;
  return { host, known: true, comparedWith: 'base', base: base.commit, change, instead };
}

function describe({ toplevel, closure }: Success): Promise<BuiltSystem> {
  return describeBuilt(toplevel, closure);
}
