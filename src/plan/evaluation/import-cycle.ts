import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lineOf } from '../pins/scan.ts';
import type { NixFailure } from './adapter.ts';
import { type FilePlace, inRepository } from './places.ts';

/** Modules that import each other without an end. */
export interface ImportCycle {
  /** Each imports the next one, and the last one imports the first. Relative to the repository. */
  files: string[];
  /** Where the last one does. */
  place: FilePlace;
}

interface Import {
  to: string;
  line: number;
}

/** A cycle of `imports` among the evaluated files of the repository; null if there is none. */
export function importCycle({ files, roots }: NixFailure): ImportCycle | null {
  const own = new Map<string, string>();
  for (const file of [...files].sort()) {
    const inside = inRepository({ file }, roots);
    if (inside !== null && existsSync(file)) own.set(inside.file, readFileSync(file, 'utf8'));
  }
  const finished = new Set<string>();
  const visit = (path: readonly string[]): ImportCycle | null => {
    const last = path.at(-1) as string;
    for (const { to, line } of importsOf(last, own)) {
      const start = path.indexOf(to);
      if (start >= 0) return { files: path.slice(start), place: { file: last, line, column: 1 } };
      const cycle = finished.has(to) ? null : visit([...path, to]);
      if (cycle !== null) return cycle;
    }
    finished.add(last);
    return null;
  };
  for (const file of own.keys()) {
    const cycle = finished.has(file) ? null : visit([file]);
    if (cycle !== null) return cycle;
  }
  return null;
}

/** The files of `own` that the lists `imports` of a file name by relative paths. */
function importsOf(file: string, own: ReadonlyMap<string, string>): Import[] {
  const text = (own.get(file) ?? '').replace(/#[^\n]*/g, comment => ' '.repeat(comment.length));
  return Array.from(text.matchAll(/\bimports\s*=[^[;]*\[[^\]]*\]/g)).flatMap(list =>
    Array.from(list[0].matchAll(/\.{1,2}\/[\w.+/-]*/g)).flatMap(path => {
      const named = join(dirname(file), path[0]);
      const to = [named, join(named, 'default.nix')].find(each => own.has(each));
      return to === undefined ? [] : [{ to, line: lineOf(text, list.index + path.index) }];
    }),
  );
}
