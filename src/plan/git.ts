import { resolve } from 'node:path';
import type { Query } from '../context.ts';
import { CommandError } from '../errors.ts';

/** What Git knows of the folder that holds the configuration. */
export interface Repository {
  /** Absolute path of the work tree. */
  root: string;
  /** 40 hex digits; null before the first commit. */
  commit: string | null;
  /** True when tracked files differ from `commit`. */
  dirty: boolean;
  /** True for a clone without history, as actions/checkout makes it. */
  shallow: boolean;
}

/** Null when `folder` lies in no Git work tree, or there is no Git. */
export async function repositoryOf(folder: string, query: Query): Promise<Repository | null> {
  const git = async (...args: string[]): Promise<string | null> => {
    try {
      return (await query('git', ['-C', folder, ...args])).stdout.trim();
    } catch (error) {
      if (error instanceof CommandError) return null;
      throw error;
    }
  };
  const [root, commit, status, shallow] = await Promise.all([
    git('rev-parse', '--show-toplevel'),
    git('rev-parse', '--verify', 'HEAD'),
    git('status', '--porcelain', '--untracked-files=no'),
    git('rev-parse', '--is-shallow-repository'),
  ]);
  if (root === null) return null;
  return { root: resolve(root), commit, dirty: status !== '', shallow: shallow === 'true' };
}
