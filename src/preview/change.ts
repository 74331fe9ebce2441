import type { BuiltSystem } from './built-system.ts';
import type { MachineDescription, UnitFiles, UnitState } from './description.ts';
import { compareEtc, type EtcChange } from './etc.ts';
import { compareFirewalls, type FirewallChange } from './firewall.ts';
import { newlyWanted } from './new-units.ts';
import { comparePackages, type PackageChanges } from './packages.ts';
import { type RebootReason, rebootReasons } from './reboot.ts';
import { isSameSecrets, type SecretChange } from './secrets.ts';
import { UnparsableUnit } from './unit-file.ts';
import { planFstab, planUnits } from './units.ts';

/** What a switch to a new system would do to a host. */
export interface Change {
  /** Toplevels. */
  before: string;
  after: string;
  units: UnitChange;
  /** Null if Nix does not say what the closure before is. */
  packages: PackageChanges | null;
  /** Empty if no reboot is needed. */
  reboot: RebootReason[];
  firewall: FirewallChange;
  /** Null if a system does not declare its accounts in a way that we can read. */
  users: NameChange | null;
  groups: NameChange | null;
  etc: EtcChange[];
  /** What two sources declare, or what a target got and would get; null if there is nothing to compare. */
  secrets: SecretChange | null;
}

export interface NameChange {
  added: string[];
  removed: string[];
}

/** What a switch would do to units. The lists are those that `dry-activate` prints, in its order. */
export interface UnitChange {
  stop: string[];
  start: string[];
  restart: string[];
  reload: string[];
  /** Changed, but left running in the old version. */
  kept: string[];
  /** New in this system and wanted by what runs; `dry-activate` does not print them. */
  fresh: string[];
  /** Swap devices that are turned off. */
  swapOff: string[];
  /** Whether systemd executes itself again. */
  restartsSystemd: boolean;
  /** Whether the states of the units are known; otherwise the lists name units that would be affected if they run. */
  statesKnown: boolean;
  /** What the comparison cannot know, as sentences. */
  unknown: string[];
  /** Why switch-to-configuration would refuse this system, or leave all units as they are; null if nothing is known. */
  error: string | null;
}

/** Compares what a machine runs with a system that was built for it. */
export function changeOf(machine: MachineDescription, after: BuiltSystem): Change {
  const { system } = machine;
  const toplevels = [system.toplevel, after.toplevel];
  return {
    before: system.toplevel,
    after: after.toplevel,
    units: unitChange(machine, after),
    packages: system.closure === null ? null : comparePackages(system.closure, after.closure ?? [], toplevels),
    reboot: rebootReasons(machine, after),
    firewall: compareFirewalls(system.firewall, after.firewall),
    users: compareNames(system.users, after.users),
    groups: compareNames(system.groups, after.groups),
    etc: compareEtc(system.etc, after.etc),
    secrets: null,
  };
}

/**
 * Compares two systems of which none runs where we can ask: states of units are unknown, and nothing waits for a reboot.
 * The units of `before` are taken to run.
 */
export function changeBetween(before: BuiltSystem, after: BuiltSystem): Change {
  const machine: MachineDescription = {
    ...{ system: before, booted: null, kernel: '', bootId: '', profile: null, boot: null },
    states: statesIfAllRun(before.units, before.wants),
    ...{ shadowed: [], secrets: [], fstab: before.fstab, pending: { start: [], restart: [], reload: [] } },
  };
  const change = changeOf(machine, after);
  return { ...change, units: { ...change.units, statesKnown: false } };
}

/** Every unit runs that is no template, and every instance that something wants. */
function statesIfAllRun(units: UnitFiles, wants: readonly string[]): Record<string, UnitState> {
  const wanted = wants.map(link => link.slice(link.indexOf('/') + 1));
  const names = [...Object.keys(units).filter(name => !name.includes('/')), ...wanted];
  const running = names.filter(name => !/@\.[a-z]+$/.test(name));
  return Object.fromEntries(running.map(name => [name, { active: 'active', sub: 'running' }]));
}

function unitChange(machine: MachineDescription, after: BuiltSystem): UnitChange {
  const { system, states, shadowed, pending, fstab } = machine;
  const noted = { statesKnown: true, unknown: unknownOf(after), error: null };
  const restartsSystemd =
    differs('systemd', system.parts, after.parts) || differs('etc/systemd/system.conf', system.parts, after.parts);
  const none = { stop: [], start: [], restart: [], reload: [], kept: [], fresh: [], swapOff: [] };
  // Source: nixpkgs' switch-to-configuration compares it with the running system's, and exits with 100 before it does anything.
  const init = 'init-interface-version';
  if (system.files[init] !== undefined && differs(init, system.files, after.files)) {
    const error = 'A switch changes no unit, because the init interface changes.';
    return { ...none, restartsSystemd: false, ...noted, error };
  }
  try {
    const plan = planUnits({ before: system.units, after: after.units, states, shadowed, pending });
    const swapOff = planFstab(fstab, after.fstab, plan);
    const shown = (units: ReadonlySet<string>): string[] => sorted([...units].filter(unit => !plan.hidden.has(unit)));
    return {
      ...{ stop: shown(plan.stop), start: shown(plan.start), kept: sorted(plan.kept) },
      ...{ restart: sorted(plan.restart), reload: sorted(plan.reload) },
      fresh: sorted(newlyWanted(system, after, states)),
      ...{ swapOff, restartsSystemd, ...noted },
    };
  } catch (error) {
    if (!(error instanceof UnparsableUnit)) throw error;
    return { ...none, restartsSystemd, ...noted, error: `switch-to-configuration cannot read ${error.message}.` };
  }
}

function unknownOf({ restartsByActivation }: BuiltSystem): string[] {
  return restartsByActivation
    ? ['The activation script may restart or reload more units: only running it would show which.']
    : [];
}

function differs(
  name: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): boolean {
  // A system without the file keeps what runs.
  return after[name] !== undefined && before[name] !== after[name];
}

/** In the order of switch-to-configuration: regardless of case. */
function sorted(units: Iterable<string>): string[] {
  const key = (unit: string): string => unit.toLowerCase();
  return [...units].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function compareNames(before: readonly string[] | null, after: readonly string[] | null): NameChange | null {
  if (before === null || after === null) return null;
  return {
    added: after.filter(name => !before.includes(name)).sort(),
    removed: before.filter(name => !after.includes(name)).sort(),
  };
}

/** Whether a switch would change nothing that this comparison sees. */
export function isSame({ before, after, secrets }: Pick<Change, 'before' | 'after' | 'secrets'>): boolean {
  return before === after && (secrets === null || isSameSecrets(secrets));
}
