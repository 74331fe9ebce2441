import { count, size } from '../amounts.ts';
import type { Change, Preview, UnitChange } from '../preview/index.ts';
import { plain } from './markdown.ts';

/** What each host would change, as lines for a person. */
export function previewLines(previews: readonly Preview[]): string[] {
  return previews.flatMap(preview =>
    preview.known ? changeLines(preview.change).map(line => `${plain(preview.host)}: ${plain(line)}`) : [],
  );
}

/** One line: how much would change, or why that is not known. */
export function previewState(preview: Preview): string {
  if (!preview.known) return `unknown: ${plain(preview.message)}`;
  const { change } = preview;
  if (change.before === change.after) return 'unchanged: its target runs this system';
  const [packages, units] = [packageCount(change), count(affected(change.units), 'unit')];
  const reboot = change.reboot.length > 0 ? '; needs a reboot' : '';
  return `would change: ${[...packages, units].join(', ')}${reboot}`;
}

function packageCount({ packages }: Change): string[] {
  if (packages === null) return [];
  return [count(packages.added.length + packages.removed.length + packages.updated.length, 'package')];
}

function affected({ stop, start, restart, reload, kept, fresh }: UnitChange): number {
  return new Set([...stop, ...start, ...restart, ...reload, ...kept, ...fresh]).size;
}

function changeLines(change: Change): string[] {
  if (change.before === change.after) return [];
  return [
    ...change.reboot.map(
      ({ text, pending }) => `needs a reboot: ${text}${pending ? ' (it waits for that already)' : ''}`,
    ),
    ...packageLines(change),
    ...unitLines(change.units),
    ...listed('opens port', change.firewall.opened),
    ...listed('closes port', change.firewall.closed),
    ...(change.firewall.turned === null ? [] : [`turns the firewall ${change.firewall.turned}`]),
    ...listed('adds user', change.users?.added ?? []),
    ...listed('removes user', change.users?.removed ?? []),
    ...listed('adds group', change.groups?.added ?? []),
    ...listed('removes group', change.groups?.removed ?? []),
    ...etcLines(change),
  ];
}

function packageLines({ packages }: Change): string[] {
  if (packages === null) return ['packages: unknown, because Nix on the target does not answer'];
  const { added, removed, updated, rebuilt, bytes } = packages;
  const lines = [
    ...updated.map(({ name, from, to, bytes }) => `${name} ${versions(from)} → ${versions(to)} (${signed(bytes)})`),
    ...added.map(({ name, versions, bytes }) => `+ ${name} ${versions.join(', ')} (${signed(bytes)})`),
    ...removed.map(({ name, versions, bytes }) => `- ${name} ${versions.join(', ')} (${signed(-bytes)})`),
  ];
  if (rebuilt.names.length > 0) lines.push(`${count(rebuilt.names.length, 'package')} rebuilt`);
  return [...lines, `closure: ${size(bytes.before)} → ${size(bytes.after)}`];
}

function versions(list: readonly string[]): string {
  return list.length === 0 ? '∅' : list.join(', ');
}

function signed(bytes: number): string {
  return `${bytes < 0 ? '-' : '+'}${size(Math.abs(bytes))}`;
}

function unitLines(units: UnitChange): string[] {
  const condition = units.statesKnown ? '' : ', if running';
  return [
    ...listed(`stops${condition}`, units.stop),
    ...listed(`starts${condition}`, units.start),
    ...listed('starts, new', units.fresh),
    ...listed(`restarts${condition}`, units.restart),
    ...listed(`reloads${condition}`, units.reload),
    ...listed('leaves running in the old version', units.kept),
    ...listed('turns off swap', units.swapOff),
    ...(units.restartsSystemd ? ['restarts systemd'] : []),
    ...(units.error === null ? [] : [units.error]),
    ...units.unknown,
  ];
}

function etcLines({ etc }: Change): string[] {
  const [rebuilt, others] = [etc.filter(each => each.rebuilt), etc.filter(each => !each.rebuilt)];
  const signs = { added: '+', removed: '-', changed: '~' } as const;
  return [
    ...listed(
      'changes in /etc',
      others.map(({ name, kind }) => `${signs[kind]}${name}`),
    ),
    ...(rebuilt.length > 0 ? [`${count(rebuilt.length, 'file')} of /etc with other store paths only`] : []),
  ];
}

function listed(words: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${words}: ${names.join(', ')}`];
}
