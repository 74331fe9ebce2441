import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceEvaluation } from '../evaluation/source-evaluation.ts';
import { deserialize, serialize } from './serialize.ts';

/** Stores evaluations by name. */
export interface PlanStore {
  /** The evaluation under the first of these names that has one. */
  read(names: readonly string[]): Promise<SourceEvaluation | null>;
  write(name: string, evaluation: SourceEvaluation): Promise<void>;
}

/** Evaluations as files of one directory. */
export function directoryStore(directory: string): PlanStore {
  const fileOf = (name: string): string => join(directory, `${name}.json`);
  return {
    async read(names) {
      for (const name of names) {
        const text = await readFile(fileOf(name), 'utf8').catch(() => null);
        if (text !== null) return deserialize(text);
      }
      return null;
    },
    async write(name, evaluation) {
      const file = fileOf(name);
      await mkdir(directory, { recursive: true });
      await writeFile(`${file}.${process.pid}`, serialize(evaluation), { mode: 0o600 });
      await rename(`${file}.${process.pid}`, file);
    },
  };
}
