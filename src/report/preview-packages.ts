import { count, size } from '../amounts.ts';
import type { PackageChanges } from '../preview/packages.ts';
import { details, escapeText } from './markdown.ts';

/** Rows of a table that is not folded, at most. */
const openRows = 10;

/** Names of rebuilt packages that are listed, at most. */
const listedNames = 200;

/** Rows of a table, at most. */
const listedRows = 300;

/** "2 packages updated, 1 added, 14 rebuilt; closure +12.3 MiB" */
export function packageCounts({ added, removed, updated, rebuilt, others, bytes }: PackageChanges): string {
  const counts = [
    [updated.length, 'updated'],
    [added.length, 'added'],
    [removed.length, 'removed'],
    [rebuilt.names.length, 'rebuilt'],
  ] as const;
  const shown = counts.filter(([number]) => number > 0);
  const words = shown.map(([number, verb], index) => `${index === 0 ? count(number, 'package') : number} ${verb}`);
  const unversioned = others.added + others.removed;
  if (words.length === 0) words.push(unversioned > 0 ? 'the same, other files change' : 'the same');
  return `${words.join(', ')}; closure ${growth(bytes.after - bytes.before)}`;
}

/** "+12.3 MiB", "-1.0 KiB", "±0 B" */
export function growth(bytes: number): string {
  if (bytes === 0) return '±0 B';
  return `${bytes < 0 ? '-' : '+'}${size(Math.abs(bytes))}`;
}

/** The packages that change as a table, which is folded if it is long, and the names of those that were only rebuilt. */
export function packageTable(packages: PackageChanges): string[] {
  const rows = rowsOf(packages);
  const { names } = packages.rebuilt;
  const parts: string[] = [];
  if (rows.length > 0) {
    const left = rows.length - listedRows;
    const rest = left > 0 ? [`| … and ${left} more | | | |`] : [];
    const table = ['| Package | Before | After | Size |', '|---|---|---|---:|', ...rows.slice(0, listedRows), ...rest];
    const text = table.join('\n');
    parts.push(rows.length <= openRows ? text : details(`${count(rows.length, 'package')} by name`, text));
  }
  if (names.length > 0) {
    const rest = names.length > listedNames ? ` and ${names.length - listedNames} more` : '';
    const list = names.slice(0, listedNames).map(escapeText).join(', ');
    parts.push(
      details(
        `${count(names.length, 'package')} rebuilt in the same version (${growth(packages.rebuilt.bytes)})`,
        `${list}${rest}`,
      ),
    );
  }
  return parts;
}

function rowsOf({ added, removed, updated }: PackageChanges): string[] {
  const row = (name: string, from: readonly string[], to: readonly string[], bytes: number): string =>
    `| ${escapeText(name)} | ${versions(from)} | ${versions(to)} | ${growth(bytes)} |`;
  return [
    ...updated.map(({ name, from, to, bytes }) => row(name, from, to, bytes)),
    ...added.map(({ name, versions, bytes }) => row(name, [], versions, bytes)),
    ...removed.map(({ name, versions, bytes }) => row(name, versions, [], -bytes)),
  ];
}

function versions(list: readonly string[]): string {
  return list.length === 0 ? '—' : list.map(escapeText).join(', ');
}
