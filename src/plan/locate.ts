import { existsSync, statSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { UserError } from '../errors.ts';

/** Where a configuration is. */
export interface Located {
  /** Absolute path of its folder; of files in several folders, the deepest folder that contains all of them. */
  source: string;
  /** The named files, relative to `source`; empty: find them by their usual names. */
  files: string[];
}

const cure =
  'Set `source` to the folder that contains the configuration, or to its files, separated by commas or newlines.';

/**
 * Reads the input `source`: a folder, or one or several Nix files. It does not need Nix, so it can be called before the set-up.
 *
 * @throws UserError for a path that does not exist, for a folder together with other paths, and for a file that is named twice.
 */
export function locate(text: string): Located {
  // A path may contain a comma.
  const named = existsSync(text.trim()) ? [text.trim()] : text.split(/[,\n]/).map(word => word.trim());
  const paths = named.filter(word => word !== '').map(word => resolve(word));
  const [first = resolve('.'), ...others] = paths;
  for (const path of paths) {
    if (!existsSync(path)) throw wrong(`There is no ${path.endsWith('.nix') ? 'file' : 'folder'} ${path}.`);
  }
  const folder = paths.find(path => statSync(path).isDirectory());
  if (folder !== undefined && others.length > 0) {
    const other = paths.find(path => path !== folder);
    throw wrong(`The folder ${folder} is named ${other === undefined ? 'twice' : `together with ${other}`}.`);
  }
  const twice = paths.find((path, index) => paths.indexOf(path) < index);
  if (twice !== undefined) throw wrong(`The file ${twice} is named twice.`);
  if (paths.length === 0 || folder !== undefined) return { source: first, files: [] };
  const source = paths.map(path => dirname(path)).reduce(common);
  return { source, files: paths.map(path => relative(source, path)) };
}

/** The deepest folder that contains both. */
function common(a: string, b: string): string {
  return relative(a, b).split(sep)[0] === '..' ? common(dirname(a), b) : a;
}

function wrong(message: string): UserError {
  return new UserError(message, { where: { input: 'source' }, cure });
}
