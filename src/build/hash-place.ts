import type { Query } from '../context.ts';
import type { HashMismatch } from '../nix/explain.ts';
import type { Nix } from '../nix/index.ts';
import type { SourcePlace } from './built.ts';

/**
 * Where the source specifies a hash that turned out to be wrong, in any of the forms that Nix accepts.
 *
 * @param folder the folder of the source, in a Git repository.
 * @returns null if it is not found, for example because it is computed or belongs to an input.
 */
export async function placeOfHash(
  { specified }: HashMismatch,
  folder: string,
  nix: Nix,
  query: Query,
): Promise<SourcePlace | null> {
  const forms = (await formsOf(specified, nix)).flatMap(form => ['-e', form]);
  const args = ['-C', folder, 'grep', '--full-name', '--untracked', '--column', '-znIF', ...forms];
  // Exit code 1: nothing was found. 128: not a Git repository.
  const { stdout } = await query('git', args, { allow: [0, 1, 128] });
  const [file, line, column] = stdout.split('\0');
  return file === undefined || line === undefined || column === undefined || file === ''
    ? null
    : { file, line: Number(line), column: Number(column) };
}

/** An SRI hash in SRI form, base64, base32 and base16. */
async function formsOf(sri: string, nix: Nix): Promise<string[]> {
  const [, type, base64] = /^(\w+)-(.+)$/.exec(sri) ?? [];
  if (type === undefined || base64 === undefined) return [sri];
  const base16 = Buffer.from(base64, 'base64').toString('hex');
  const { stdout: base32 } = await nix.run('nix-hash', ['--type', type, '--to-base32', base16]);
  return [sri, base64, base32.trim(), base16];
}
