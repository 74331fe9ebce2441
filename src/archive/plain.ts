import { mkdtemp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';

/**
 * A path of `directory` that can stand in a store's address, `file://…`: itself, or a link to it below `context.scratch`.
 * Nix 2.8 opens no address with a space in it, encoded or not; browsers unpack to `closure-web (1)`.
 */
export async function plainPath(directory: string, context: Pick<Context, 'scratch'>): Promise<string> {
  if (/^[A-Za-z0-9_./-]+$/.test(directory)) return directory;
  const link = join(await mkdtemp(join(context.scratch, 'link-')), 'archives');
  await symlink(directory, link);
  return link;
}
