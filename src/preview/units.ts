/**
 * The rules by which switch-to-configuration decides what happens to a unit. Source: pkgs/by-name/sw/switch-to-configuration-ng
 * in nixpkgs, as of NixOS 26.05 (`collect_unit_changes`, `compare_units`, `handle_modified_unit`). Older programs differ in
 * details. `__tests__/e2e/support/unit-cases.ts` has a case for each rule.
 */
import type { UnitFiles, UnitState } from './description.ts';
import { type NamedText, readUnit, type UnitInfo } from './unit-file.ts';

/** The units before and after a switch, and what systemd says of them now. */
export interface UnitSituation {
  before: UnitFiles;
  after: UnitFiles;
  /** Units that are not inactive. */
  states: Readonly<Record<string, UnitState>>;
  /** Units that systemd does not read from /etc. */
  shadowed: readonly string[];
  /** Units that an interrupted switch left to be started, restarted or reloaded. */
  pending: Readonly<Record<'start' | 'restart' | 'reload', readonly string[]>>;
}

/** The units that a switch stops, starts, restarts, reloads, or leaves alone although they have changed. */
export interface UnitPlan {
  stop: Set<string>;
  start: Set<string>;
  restart: Set<string>;
  reload: Set<string>;
  kept: Set<string>;
  /** Active targets, which are started again only for what they newly want. */
  hidden: Set<string>;
}

type Difference = 'equal' | 'reload' | 'restart';

/** Keys of [Unit] that may change without consequences. */
const harmless = new Set([
  ...['X-Reload-Triggers', 'Description', 'Documentation', 'OnFailure', 'OnSuccess', 'OnFailureJobMode'],
  ...['IgnoreOnIsolate', 'StopWhenUnneeded', 'RefuseManualStart', 'RefuseManualStop', 'AllowIsolate', 'CollectMode'],
  'SourcePath',
]);

/**
 * What a switch does to the units.
 *
 * @throws UnparsableUnit for a unit file that switch-to-configuration cannot read either.
 */
export function planUnits(situation: UnitSituation): UnitPlan {
  const { start, restart, reload } = situation.pending;
  const plan: UnitPlan = {
    ...{ stop: new Set(), kept: new Set(), hidden: new Set() },
    ...{ start: new Set(start), restart: new Set(restart), reload: new Set(reload) },
  };
  const shadowed = new Set(situation.shadowed);
  for (const [unit, { active }] of Object.entries(situation.states)) {
    const runs = active === 'active' || active === 'activating';
    if (runs && !shadowed.has(unit)) planUnit(unit, situation, plan);
  }
  return plan;
}

function planUnit(unit: string, situation: UnitSituation, plan: UnitPlan): void {
  const { before, after } = situation;
  const base = definedBy(unit, situation);
  if (!(base in before)) return;
  const was = (): UnitInfo => readUnit(filesOf(unit, base, before));
  const removed = base !== unit && declared(unit, before) && !declared(unit, after);
  if (removed || (after[base] ?? null) === null) {
    if (flag(was(), 'Unit', 'X-StopOnRemoval', true)) plan.stop.add(unit);
    return;
  }
  const is = readUnit(filesOf(unit, base, after));
  if (unit.endsWith('.target')) {
    planTarget(unit, is, plan);
    return;
  }
  const difference = compareUnits(was(), is);
  if (difference === 'restart') planModified(unit, base, is, situation, plan);
  else if (difference === 'reload' && !plan.restart.has(unit)) plan.reload.add(unit);
}

/** The name of the file that defines a unit: its own, or that of its template. */
function definedBy(unit: string, { before, after }: UnitSituation): string {
  return unit in before || unit in after ? unit : unit.replace(/^(.*)@[^.]*\.(.*)$/s, '$1@.$2');
}

/** Whether drop-ins declare an instance of a template. */
function declared(unit: string, files: UnitFiles): boolean {
  return dropins(unit, files).some(({ text }) => text !== null);
}

function dropins(unit: string, files: UnitFiles): { name: string; text: string | null }[] {
  return Object.entries(files)
    .filter(([name]) => name.startsWith(`${unit}.d/`) && name.endsWith('.conf'))
    .map(([name, text]) => ({ name, text }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function filesOf(unit: string, base: string, files: UnitFiles): NamedText[] {
  const all = [{ name: base, text: files[base] ?? null }, ...dropins(base, files)];
  if (unit !== base) all.push(...dropins(unit, files));
  // A masked file is empty.
  return all.map(({ name, text }) => ({ name, text: text ?? '' }));
}

function planTarget(unit: string, is: UnitInfo, plan: UnitPlan): void {
  const sleeps = /^(suspend|hibernate|hybrid-sleep)\.target$/.test(unit);
  if (!sleeps && !flag(is, 'Unit', 'RefuseManualStart', false) && !flag(is, 'Unit', 'X-OnlyManualStart', false)) {
    plan.start.add(unit);
    plan.hidden.add(unit);
  }
  if (flag(is, 'Unit', 'X-StopOnReconfiguration', false)) plan.stop.add(unit);
}

/** What happens to a unit that has changed by more than a reload can take up. */
function planModified(unit: string, base: string, is: UnitInfo, situation: UnitSituation, plan: UnitPlan): void {
  // These cannot be restarted, or take up changes when systemd reads its files again.
  if (/^(sysinit|basic|multi-user|graphical)\.target$/.test(unit) || /\.(path|slice|socket)$/.test(unit)) return;
  if (unit.endsWith('.mount')) {
    (unit === '-.mount' || unit === 'nix.mount' ? plan.reload : plan.restart).add(unit);
    return;
  }
  if (flag(is, 'Service', 'X-ReloadIfChanged', false) && !plan.restart.has(unit) && !plan.stop.has(unit)) {
    plan.reload.add(unit);
    return;
  }
  if (
    !flag(is, 'Service', 'X-RestartIfChanged', true) ||
    flag(is, 'Unit', 'RefuseManualStop', false) ||
    flag(is, 'Unit', 'X-OnlyManualStart', false)
  ) {
    plan.kept.add(unit);
  } else if (!flag(is, 'Service', 'X-StopIfChanged', true) || !unit.endsWith('.service')) plan.restart.add(unit);
  else planStopAndStart(unit, base, is, situation, plan);
  plan.reload.delete(unit);
}

/** A service that its sockets activate is not started; the sockets are. */
function planStopAndStart(unit: string, base: string, is: UnitInfo, situation: UnitSituation, plan: UnitPlan): void {
  const { states, after } = situation;
  const named = (is.get('Service')?.get('Sockets') ?? []).join(' ').split(/\s+/);
  const sockets = named.filter(socket => socket !== '');
  if (sockets.length === 0) sockets.push(base.replace(/@?\.service$/, '.socket'));
  let activated = false;
  for (const socket of sockets) {
    const runs = socket in states;
    const exists = socket in after;
    if (runs) plan.stop.add(socket);
    if (runs && exists) plan.start.add(socket);
    if (exists) activated = true;
  }
  if (!activated || flag(is, 'Service', 'X-NotSocketActivated', false)) plan.start.add(unit);
  plan.stop.add(unit);
}

/** Whether a change of a unit needs nothing, a reload or a restart. */
export function compareUnits(was: UnitInfo, is: UnitInfo): Difference {
  const differences: Difference[] = [];
  for (const [section, keys] of was) {
    const now = is.get(section);
    differences.push(now === undefined ? removedSection(section, keys) : compareSection(section, keys, now));
  }
  const added = [...is].filter(([section]) => !was.has(section));
  if (added.length > 1) return 'restart';
  differences.push(...added.map(([section, keys]) => addedSection(section, keys)));
  return worst(differences);
}

type Keys = ReadonlyMap<string, readonly string[]>;

function compareSection(section: string, was: Keys, is: Keys): Difference {
  const differences: Difference[] = [];
  for (const [key, values] of was) {
    const now = is.get(key);
    if (now === undefined) differences.push(removedKey(section, key));
    else if (values.join('\n') !== now.join('\n') || values.length !== now.length) {
      differences.push(changedKey(section, key));
    }
  }
  for (const key of is.keys()) if (!was.has(key)) differences.push(addedKey(section, key));
  return worst(differences);
}

function removedSection(section: string, keys: Keys): Difference {
  if (section === 'Unit') return [...keys.keys()].every(key => harmless.has(key)) ? 'equal' : 'restart';
  return section === 'Service' && keys.size === 1 && keys.has('ExecReload') ? 'equal' : 'restart';
}

function addedSection(section: string, keys: Keys): Difference {
  if (section === 'Unit') return worst([...keys.keys()].map(key => addedKey(section, key)));
  return section === 'Service' && keys.size === 1 && keys.has('ExecReload') ? 'reload' : 'restart';
}

/** The process runs on, and the new unit cannot be reloaded: nothing is to be done if ExecReload is gone. */
function removedKey(section: string, key: string): Difference {
  const nothing = section === 'Unit' ? harmless.has(key) : section === 'Service' && key === 'ExecReload';
  return nothing ? 'equal' : 'restart';
}

function addedKey(section: string, key: string): Difference {
  if (section === 'Unit' && key === 'X-Reload-Triggers') return 'reload';
  if (section === 'Unit' && harmless.has(key)) return 'equal';
  return section === 'Service' && key === 'ExecReload' ? 'reload' : 'restart';
}

function changedKey(section: string, key: string): Difference {
  return section === 'Mount' && key === 'Options' ? 'reload' : addedKey(section, key);
}

function worst(differences: readonly Difference[]): Difference {
  if (differences.includes('restart')) return 'restart';
  return differences.includes('reload') ? 'reload' : 'equal';
}

/** The last value of a key as a boolean. */
function flag(unit: UnitInfo, section: string, key: string, otherwise: boolean): boolean {
  const value = unit.get(section)?.get(key)?.at(-1);
  return value === undefined ? otherwise : ['1', 'yes', 'true', 'on'].includes(value);
}

/** A line of fstab. */
interface FileSystem {
  device: string;
  type: string;
  options: string;
}

/**
 * Adds to a plan what a switch does about file systems that fstab names. Source: the same program, `parse_fstab` and
 * `do_system_switch`. New file systems are mounted with local-fs.target.
 *
 * @returns the swap devices that it turns off.
 */
export function planFstab(before: string, after: string, plan: UnitPlan): string[] {
  const [was, is] = [readFstab(before), readFstab(after)];
  for (const [place, old] of was.mounts) {
    const mount = `${escapePath(place)}.mount`;
    const now = is.mounts.get(place);
    if (now === undefined) {
      plan.stop.add(old.options.includes('x-systemd.automount') ? `${escapePath(place)}.automount` : mount);
    } else if (old.type !== now.type || old.device !== now.device) {
      // These cannot be unmounted.
      if (place !== '/' && place !== '/nix') plan.restart.add(mount);
      else (old.options === now.options ? plan.kept : plan.reload).add(mount);
    } else if (old.options !== now.options) plan.reload.add(mount);
  }
  return [...was.swaps].filter(device => !is.swaps.has(device));
}

function readFstab(text: string): { mounts: Map<string, FileSystem>; swaps: Set<string> } {
  const mounts = new Map<string, FileSystem>();
  const swaps = new Set<string>();
  for (const line of text.split('\n')) {
    const [device, place, type, options = ''] = line.trim().split(/\s+/);
    if (line.includes('#') || device === undefined || place === undefined || type === undefined) continue;
    if (type === 'swap') swaps.add(device);
    else mounts.set(place, { device, type, options });
  }
  return { mounts, swaps };
}

/** The name of the unit of a path, as `systemd-escape --path` makes it. */
function escapePath(path: string): string {
  const bytes = Buffer.from(path.replace(/^\/+|\/+$/g, '').replace(/\/+/g, '/'));
  if (bytes.length === 0) return '-';
  return [...bytes]
    .map((byte, index) => {
      const char = String.fromCharCode(byte);
      if (char === '/') return '-';
      const plain = /[A-Za-z0-9:_]/.test(char) || (char === '.' && index > 0);
      return plain ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}
