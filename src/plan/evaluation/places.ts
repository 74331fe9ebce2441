import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { lineOf } from '../pins/scan.ts';
import type { NixFailure } from './adapter.ts';
import { definitionIn, optionIn } from './definition.ts';

/** A place in a file, of which Nix may know only the file; line and column start at 1. */
export interface FilePlace {
  file: string;
  line: number | null;
  column: number | null;
}

/**
 * Translates a place reported by Nix to one relative to the repository; null if it is outside of the repository.
 *
 * @param roots folders with the contents of the repository's root: the work tree, and the store paths Nix copied it to.
 */
export function inRepository<T extends { file: string }>(place: T, roots: readonly string[]): T | null {
  const path = canonical(place.file);
  for (const root of roots) {
    const folder = canonical(root);
    const inside = folder === '/' ? folder : `${folder}/`;
    if (path.startsWith(inside) && path !== folder) return { ...place, file: path.slice(inside.length) };
  }
  return null;
}

/** An absolute path without `.`, `..` and empty parts. An evaluation names thousands of files, and most are so already. */
function canonical(path: string): string {
  return path.startsWith('/') && !/\/(?:\.{0,2}\/|\.{0,2}$)/.test(path) ? path : resolve(path);
}

/** The innermost place of a failure inside the repository; null if there is none. */
export function placeOf(failure: NixFailure): FilePlace | null {
  for (const place of [...failure.places, ...placesIn(failure)]) {
    const inside = inRepository(place, failure.roots);
    if (inside === null) continue;
    return inside.line === null ? { ...inside, ...definedAt(place.file, failure) } : inside;
  }
  return placeOfThrow(failure) ?? placeOfUndefined(failure);
}

/** The module system names only the files of definitions; the place in one of them is found by the name of the option. */
function definedAt(file: string, { message }: NixFailure): Partial<FilePlace> {
  const option = optionIn(message);
  if (option === null || !existsSync(file)) return {};
  const text = readFileSync(file, 'utf8');
  const at = definitionIn(text, option);
  return at === null ? {} : { line: lineOf(text, at), column: at - text.lastIndexOf('\n', at - 1) };
}

/** Nix 2.8 does not report the place of a `throw`: it is the only place in the evaluated files with that text. */
function placeOfThrow({ message, files, roots }: NixFailure): FilePlace | null {
  if (message.includes('\n') || message.length < 4) return null;
  const matches: FilePlace[] = [];
  for (const file of files) {
    const inside = inRepository({ file }, roots);
    if (inside === null || !existsSync(file)) continue;
    for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
      const at = line.indexOf(message);
      if (at >= 0) matches.push({ file: inside.file, line: index + 1, column: at + 1 });
    }
  }
  const [first, second] = matches;
  return first !== undefined && second === undefined ? first : null;
}

/** For an option that has no value: the place that defines others of the same set. */
function placeOfUndefined(failure: NixFailure): FilePlace | null {
  const [, set] =
    /option `(.+)\.(?:[^."]+|"[^"]*")' (?:was accessed but has no value defined|is used but not defined)/.exec(
      failure.message,
    ) ?? [];
  if (set === undefined) return null;
  return findInOwn(failure, text => {
    const at = text.indexOf(set);
    return at < 0 ? null : at;
  });
}

/** The first place in the evaluated files of the repository for which `find` returns an offset. */
export function findInOwn(
  { files, roots }: NixFailure,
  find: (text: string, folder: string) => number | null | undefined,
): FilePlace | null {
  for (const file of files) {
    const inside = inRepository({ file }, roots);
    if (inside === null || !existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    const at = find(text, dirname(inside.file));
    if (at !== null && at !== undefined) return { file: inside.file, line: lineOf(text, at), column: 1 };
  }
  return null;
}

/** Places named in the text of an error: first those in the message, then those in the trace, the innermost first. */
function placesIn({ message, printed }: NixFailure): FilePlace[] {
  const trace = placesInText(printed);
  return [...placesInText(message), ...(isOutermostFirst(printed) ? trace.reverse() : trace)];
}

/** `at /file:1:2`, and the module system's "In `/file'" without a line, which may also be a folder. */
function placesInText(text: string): FilePlace[] {
  const places: FilePlace[] = [];
  for (const [, file, line, column] of text.matchAll(/(\/[^\s:'"`»]+):(\d+)(?::(\d+))?/g)) {
    if (file !== undefined) places.push({ file, line: Number(line), column: Number(column ?? 1) });
  }
  for (const [, path = ''] of text.matchAll(/[`'](\/[^\s'`]+)'/g)) {
    const file = path.endsWith('.nix') ? path : moduleOf(path);
    if (file !== null) places.push({ file, line: null, column: null });
  }
  return places;
}

/** The file of a module that is a folder; null if there is none. */
function moduleOf(folder: string): string | null {
  const file = join(folder, 'default.nix');
  return existsSync(file) ? file : null;
}

/** The option whose evaluation failed, the innermost that the trace names; null if it names none. */
export function optionOf({ printed }: NixFailure): string | null {
  const options = Array.from(
    printed.matchAll(/while evaluating the option `([^'\n]+)'/g),
    ([, option]) => option ?? '',
    // Nix also prints the line of nixpkgs that makes this text.
  ).filter(option => !option.includes('${'));
  return (isOutermostFirst(printed) ? options.at(-1) : options[0]) ?? null;
}

/** Since 2.20, Nix prints the error after its trace, which then begins with the outermost place. */
function isOutermostFirst(printed: string): boolean {
  return printed.lastIndexOf('error: ') > printed.indexOf('… ');
}

/** Paths of the repository relative to its root, and those of nixpkgs from its folder on. */
export function shortPaths(text: string, roots: readonly string[]): string {
  const own = roots.map(root => resolve(root)).sort((a, b) => b.length - a.length);
  // Newer versions of Nix name a flake by its reference: `«git+file:///fleet?rev=…»/hosts/web.nix`.
  const plain = text.replace(/«git\+file:[^»]*»\//g, '');
  const relative = own.reduce((shown, root) => shown.replaceAll(`${root}/`, ''), plain);
  return relative.replace(/\/nix\/store\/[a-z0-9]{32}-[^/\s'"`]+\/(?=(?:nixos|lib|pkgs)\/)/g, 'nixpkgs/');
}
