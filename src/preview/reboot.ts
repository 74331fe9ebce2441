import { type BootedPart, bootedParts } from '../deploy/booted.ts';
import { bootLoaderChange } from './boot-loader.ts';
import type { MachineDescription, SystemDescription } from './description.ts';
import { packageName } from './packages.ts';

/** Why a machine runs all of a system only after a reboot. */
export interface RebootReason {
  part: (typeof bootedParts)[BootedPart] | 'switch inhibitor' | 'boot loader';
  /** In words, as `kernel 6.6.30 → 6.6.35`. */
  text: string;
  /** Whether the machine waits for a reboot for this already. */
  pending: boolean;
}

type Side = Pick<SystemDescription, 'parts' | 'files'>;

/**
 * Why a reboot is needed after a switch to `after`. What was booted counts, not what was switched to since: a machine on
 * which nobody has rebooted since an update of the kernel still needs it.
 */
export function rebootReasons(
  { system, booted }: Pick<MachineDescription, 'system' | 'booted'>,
  after: Side & Pick<SystemDescription, 'closure'>,
): RebootReason[] {
  const from = booted ?? system;
  const already = new Set(reasons(from, system).map(({ part }) => part));
  const loader = bootLoaderChange(system.closure, after.closure);
  return [
    ...reasons(from, after).map(reason => ({ ...reason, pending: already.has(reason.part) })),
    // A switch installs it at once, and the machine says nothing of what has started it.
    ...(loader === null ? [] : [{ part: 'boot loader' as const, text: loader, pending: false }]),
  ];
}

/** A part that one of the systems does not have is not compared, because older systems lack some. */
function reasons(from: Side, to: Side): Omit<RebootReason, 'pending'>[] {
  const found = (Object.keys(bootedParts) as BootedPart[]).flatMap(file => {
    const part = bootedParts[file];
    const change = changeOf(file, from, to);
    return change === null ? [] : [{ part, text: `${part} ${change}` }];
  });
  return [...found, ...inhibitors(from.files['switch-inhibitors'], to.files['switch-inhibitors'])];
}

/** How a part changes, in words; null: it does not. */
function changeOf(file: BootedPart, from: Side, to: Side): string | null {
  // The contents of these are compared, and where the others lead.
  const side = file === 'kernel-params' || file === 'init-interface-version' ? 'files' : 'parts';
  const [was, is] = [from[side][file], to[side][file]];
  if (was === undefined || is === undefined || was === is) return null;
  if (file === 'kernel-params') return compareWords(was, is) || null;
  return file === 'init-interface-version' ? `${was} → ${is}` : versions(was, is);
}

/** `6.6.30 → 6.6.35`, or that it was rebuilt. */
function versions(was: string, is: string): string {
  const version = (path: string): string => packageName(path.split('/').slice(0, 4).join('/')).version;
  const [old, now] = [version(was), version(is)];
  if (old === '' || now === '') return 'changed';
  return old === now ? `${now}, rebuilt` : `${old} → ${now}`;
}

/** `+quiet -debug`; empty if the words are the same. */
function compareWords(was: string, is: string): string {
  const [old, now] = [was, is].map(text => text.split(/\s+/).filter(word => word !== ''));
  const added = now?.filter(word => !old?.includes(word)).map(word => `+${word}`) ?? [];
  const removed = old?.filter(word => !now?.includes(word)).map(word => `-${word}`) ?? [];
  return [...added, ...removed].join(' ');
}

/** Components that switch-to-configuration refuses to exchange in a running system. */
function inhibitors(was: string | undefined, is: string | undefined): Omit<RebootReason, 'pending'>[] {
  const now = readInhibitors(is);
  return [...readInhibitors(was)].flatMap(([name, value]) => {
    const other = now.get(name);
    if (other === undefined || other === value) return [];
    return [{ part: 'switch inhibitor' as const, text: `${name} ${value} → ${other}` }];
  });
}

/** The names and values of the file `switch-inhibitors`, an object of JSON; none if it is damaged. */
function readInhibitors(text = '{}'): Map<string, string> {
  try {
    return new Map(
      Object.entries(JSON.parse(text) as Record<string, unknown>).map(([name, value]) => [name, String(value)]),
    );
  } catch {
    return new Map();
  }
}
