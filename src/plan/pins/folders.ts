import { dirname } from 'node:path';

/** The folders from `folder` up to `root`, which contains it; both included. */
export function foldersUpTo(root: string, folder: string): string[] {
  return folder === root || folder === dirname(folder) ? [folder] : [folder, ...foldersUpTo(root, dirname(folder))];
}
