import { mkdtemp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';

/**
 * A path of `directory` that can be part of a store's address, `file://…`: itself, or a link to it below
 * `context.scratch`. Nix 2.8 cannot open an address with a space, encoded or not, and browsers unpack to
 * `closure-web (1)`.
 */
export async function plainPath(directory: string, context: Pick<Context, 'scratch'>): Promise<string> {
  if (/^[A-Za-z0-9_./-]+$/.test(directory)) return directory;
  const link = join(await mkdtemp(join(context.scratch, 'link-')), 'archives');
  await symlink(directory, link);
  return link;
}
