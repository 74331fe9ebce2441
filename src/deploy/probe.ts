import type { Context } from '../context.ts';
import { type BootedPart, readBootedParts } from './booted.ts';
import type { DeployConfig, Deployment } from './deployment.ts';
import { call, escalationOf, type Remote } from './remote.ts';
import type { Reply } from './reply.ts';
import { isConnectionError } from './session.ts';

/** The state of a target, as the activation script's verb `probe` reports it. */
export interface Probe {
  /** What the kernel calls the machine, as `x86_64`. */
  machine: string;
  /** Toplevel that runs; null when NixOS does not run. */
  current: string | null;
  /** Toplevel that the system profile points to; null without one. */
  profile: string | null;
  /** Toplevel that the boot loader starts by default; null when it cannot be read. */
  boot: string | null;
  /** What differs between the system that runs and the one that the machine was booted with. */
  needsReboot: BootedPart[];
  /** The record of an activation that is in progress or was cut; null without one. */
  open: OpenRecord | null;
  /** Nix's version, or `unknown`; null without Nix. */
  nix: string | null;
  /** Bytes free in the store; null when unknown. */
  free: number | null;
  /** Whether Nix accepts unsigned paths from the user; null when unknown. */
  trusted: boolean | null;
  /** `yes`: the user is root; `escalated`: the privilege escalation works; `no`: it does not. */
  root: 'yes' | 'escalated' | 'no';
  /** What the privilege escalation printed when it failed. */
  refusal: string | null;
}

/** What an activation has recorded on its target. */
export interface OpenRecord {
  phase: string;
  /** Toplevel that it activates. */
  toplevel: string | null;
  /** Toplevel that ran before it; null without one. */
  before: string | null;
}

/**
 * Connects to a target for the first time and reads its state.
 *
 * @returns null when the reply is not that of the script.
 * @throws CommandError when there is no connection.
 */
export async function probeTarget(remote: Remote, context: Context): Promise<Probe | null> {
  const words = escalationOf(remote.target);
  const options = { timeout: 60_000, signal: context.signal };
  try {
    return readProbe(await call(remote, 'probe', words, options));
  } catch (error) {
    // While ssh opens a connection that is to be shared, it discards what its jump host prints.
    if (!isConnectionError(error) || error.stderr.trim() !== '' || context.signal.aborted) throw error;
    return readProbe(await call(remote, 'probe', words, { ...options, fresh: true }));
  }
}

/** Null when the reply is not that of a probe. */
export function readProbe({ values }: Reply): Probe | null {
  if (values.get('end') !== 'probe') return null;
  const text = (key: string): string | null => values.get(key) || null;
  const free = Number(values.get('free') || Number.NaN);
  const root = values.get('root');
  return {
    machine: values.get('machine') ?? '',
    current: text('current'),
    profile: text('profile'),
    boot: text('boot'),
    needsReboot: readBootedParts(text('needs-reboot') ?? ''),
    open: readOpenRecord(text('open')),
    nix: text('nix'),
    free: Number.isFinite(free) ? free * 1024 : null,
    trusted: text('trusted') === null ? null : values.get('trusted') === 'yes',
    root: root === 'yes' || root === 'escalated' ? root : 'no',
    refusal: text('refusal'),
  };
}

/** `ID PHASE TOPLEVEL BEFORE`, or `unreadable`. */
function readOpenRecord(text: string | null): OpenRecord | null {
  if (text === null) return null;
  const [, phase = 'unknown', toplevel, before] = text.split(' ');
  return { phase, toplevel: toplevel || null, before: before || null };
}

/**
 * Whether the target already is what a deployment would make it. An activation that was cut has to be settled first,
 * whatever the machine looks like.
 */
export function isUpToDate(
  { toplevel }: Pick<Deployment, 'toplevel'>,
  { mode }: Pick<DeployConfig, 'mode'>,
  { current, profile, boot, open }: Pick<Probe, 'current' | 'profile' | 'boot' | 'open'>,
): boolean {
  if (open !== null) return false;
  const running = current === toplevel;
  const booting = profile === toplevel && (boot === null || boot === toplevel);
  if (mode === 'boot') return booting;
  return mode === 'test' ? running : running && booting;
}

/**
 * The systems that the target may run when the activation begins: the one that it runs now and, if another activation has
 * not ended, the one that this may go back to.
 */
export function expectedSystems({ current, open }: Pick<Probe, 'current' | 'open'>): string[] {
  const systems = [current, ...(open === null ? [] : [open.before])];
  return [...new Set(systems.map(system => system ?? ''))];
}

/** Why this target cannot be deployed to; null when it can. */
export function refusalOf({ system }: Deployment, { target }: Remote, probe: Probe): string | null {
  if (!runsOn(system, probe.machine)) {
    return `The target is a ${probe.machine} machine, but the system is built for ${system}. Check that \`${target.address}\` is the right address.`;
  }
  if (probe.nix === null) {
    return 'Nix is not installed on the target: `nix-store` is not on the PATH of an SSH session without a terminal.';
  }
  if (probe.root === 'no') {
    const words = target.privilegeEscalation.join(' ');
    return words === ''
      ? `The user ${target.user} is not root and has no privilege escalation: use root, or set it to \`sudo -n\`.`
      : `\`${words}\` does not make ${target.user} root without a password${probe.refusal === null ? '' : ` (${probe.refusal})`}.`;
  }
  return null;
}

/** Whether a kernel that calls its machine `machine` runs programs of `system`. */
function runsOn(system: string, machine: string): boolean {
  const cpu = system.split('-')[0] ?? '';
  const also: Record<string, string[]> = {
    i686: ['x86_64', 'i386', 'i486', 'i586'],
    armv6l: ['armv7l', 'armv8l', 'aarch64'],
    armv7l: ['armv8l', 'aarch64'],
    powerpc64le: ['ppc64le'],
  };
  return cpu === machine || (also[cpu] ?? []).includes(machine);
}
