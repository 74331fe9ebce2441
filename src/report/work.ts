import { count, duration, size } from '../amounts.ts';
import type { WorkItem } from '../build/work.ts';
import { derivationName } from '../nix/derivation.ts';
import type { LimitedDocument } from './limited.ts';
import { details, escapeText } from './markdown.ts';
import type { Run } from './run.ts';

/** Builds and fetches that are listed, at most. */
const listed = 10;

/** What was built, emulated and fetched, and how long the slowest took. */
export function workSection(document: LimitedDocument, { work }: Pick<Run, 'work'>): void {
  if (work === null || work.items.length === 0) return;
  const { items, downloadedBytes } = work;
  const built = items.filter(({ kind }) => kind === 'built');
  const fetched = items.length - built.length;
  const kinds = [
    [built.filter(({ emulated }) => emulated).length, 'emulated'],
    [built.filter(({ where }) => where !== null).length, 'on remote builders'],
    [built.filter(({ failed }) => failed).length, 'failed'],
  ] as const;
  const some = kinds.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  const bytes = downloadedBytes > 0 ? ` (${size(downloadedBytes)} downloaded)` : '';
  const parts = [
    `${count(built.length, 'derivation')} built${some.length > 0 ? ` (${some.join(', ')})` : ''}`,
    ...(fetched > 0 ? [`${count(fetched, 'path')} fetched${bytes}`] : []),
  ];
  const rows = slowest(items, listed).map(item => {
    return `| ${escapeText(workName(item))} | ${duration((item.to - item.from) / 1000)} | ${howOf(item)} |`;
  });
  const title = items.length > rows.length ? `The slowest ${rows.length}` : 'Each of them';
  document.add(`**Builds**: ${parts.join(', ')}`);
  document.add(details(title, ['| Name | Time | How |', '|---|---:|---|', ...rows].join('\n')));
}

/** Those that took longest, the slowest first. */
export function slowest(items: readonly WorkItem[], number: number): WorkItem[] {
  const took = ({ from, to }: WorkItem): number => to - from;
  return items.toSorted((a, b) => took(b) - took(a)).slice(0, number);
}

/** The name of the derivation or store path, without its hash. */
export function workName({ path }: Pick<WorkItem, 'path'>): string {
  return derivationName(path);
}

function howOf({ kind, where, system, emulated, failed }: WorkItem): string {
  if (kind === 'fetched') return `fetched${where === null ? '' : ` from ${escapeText(serverOf(where))}`}`;
  return [
    failed ? '❌ failed' : 'built',
    ...(emulated ? [`emulated ${escapeText(system ?? '')}`] : []),
    ...(where === null ? [] : ['on a remote builder']),
  ].join(', ');
}

/** The host of a substituter's address, which may contain a password. */
function serverOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host || new URL(address).protocol.replace(':', '') : 'a substituter';
}
