import { existsSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { type Place, UserError } from '../../errors.ts';
import { explainNixError } from '../../nix/explain.ts';
import type { NixPlace } from '../../nix/log.ts';
import type { EvaluationFailure } from '../fleet.ts';
import type { NixFailure } from './adapter.ts';

/** Characters of a trace that the plan keeps. */
const traceLength = 16 * 1024;

/**
 * Translates a place reported by Nix to one relative to the repository; null if it is outside of the repository.
 *
 * @param roots folders with the contents of the repository's root: the work tree, and the store paths Nix copied it to.
 */
export function inRepository(place: NixPlace, roots: readonly string[]): NixPlace | null {
  for (const root of roots) {
    const file = relative(resolve(root), resolve(place.file));
    if (file !== '' && !file.startsWith('..')) return { ...place, file };
  }
  return null;
}

/** The innermost place of a failure inside the repository; null if there is none. */
export function placeOf(failure: NixFailure): NixPlace | null {
  for (const place of [...failure.places, ...placesIn(failure.printed)]) {
    const inside = inRepository(place, failure.roots);
    if (inside !== null) return inside;
  }
  return placeOfThrow(failure);
}

/** Nix 2.8 does not report the place of a `throw`: it is the only place in the evaluated files with that text. */
function placeOfThrow({ message, files, roots }: NixFailure): NixPlace | null {
  if (message.includes('\n') || message.length < 4) return null;
  const matches: NixPlace[] = [];
  for (const file of files) {
    const inside = inRepository({ file, line: 1, column: 1 }, roots);
    if (inside === null || !existsSync(file)) continue;
    for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
      const at = line.indexOf(message);
      if (at >= 0) matches.push({ file: inside.file, line: index + 1, column: at + 1 });
    }
  }
  const [first, second] = matches;
  return first !== undefined && second === undefined ? first : null;
}

/** Places named in the text of an error: `at /file:1:2`, and the module system's "In `/file'" without a line. */
function placesIn(printed: string): NixPlace[] {
  const places: NixPlace[] = [];
  for (const [, file, line, column] of printed.matchAll(/(\/[^\s:'"`»]+):(\d+)(?::(\d+))?/g)) {
    if (file !== undefined) places.push({ file, line: Number(line), column: Number(column ?? 1) });
  }
  for (const [, file] of printed.matchAll(/[`'](\/[^\s'`]+\.nix)'/g)) {
    if (file !== undefined) places.push({ file, line: 1, column: 1 });
  }
  return places;
}

/** The failure of one host, as the plan reports it. */
export function evaluationFailure(host: string, failure: NixFailure): EvaluationFailure {
  const place = placeOf(failure);
  return {
    host,
    message: meaning(failure),
    trace: failure.printed.slice(0, traceLength),
    file: place?.file ?? null,
    line: place?.line ?? null,
    column: place?.column ?? null,
  };
}

/** The error for a failure that no single host caused: the source as a whole cannot be evaluated. */
export function sourceFailure(failure: NixFailure, fallback: Place = {}): UserError {
  const place = placeOf(failure);
  return new UserError(meaning(failure), { where: place ?? fallback, cause: failure.printed });
}

/** Nix's message and, if it is a known one, what it means and what to do. */
function meaning({ message, printed }: NixFailure): string {
  const known = explainNixError(printed);
  const text = sentence(message);
  return known === null ? text : `${text} It means that ${known.message}. ${known.cure}`;
}

/** Nix's message as a sentence: with a capital letter and a full stop. */
function sentence(message: string): string {
  const text = message.replace(/^error: /, '').trim();
  const cut = text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text;
  const first = cut.charAt(0).toUpperCase() + cut.slice(1);
  return /[.!?…:'"`]$/.test(first) ? first : `${first}.`;
}
