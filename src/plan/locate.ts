import { existsSync, statSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { UserError } from '../errors.ts';

/** Where a configuration lies. */
export interface Located {
  /** Absolute path of its folder; of files in several folders the one that holds them all. */
  source: string;
  /** The files that were named, relative to `source`; none: found by their usual names. */
  files: string[];
}

const cure =
  'Let `source` name the folder of the repository that holds the configuration, or its files with commas or lines between them.';

/**
 * Reads the input `source`: a folder, or one or several Nix files. Needs no Nix, so it can be asked first of all.
 *
 * @throws UserError for what is not there, for a folder beside other things, and for a file that is named twice.
 */
export function locate(text: string): Located {
  // A path may hold a comma.
  const named = existsSync(text.trim()) ? [text.trim()] : text.split(/[,\n]/).map(word => word.trim());
  const paths = named.filter(word => word !== '').map(word => resolve(word));
  const [first = resolve('.'), ...others] = paths;
  for (const path of paths) {
    if (!existsSync(path)) throw wrong(`There is no ${path.endsWith('.nix') ? 'file' : 'folder'} ${path}.`);
  }
  const folder = paths.find(path => statSync(path).isDirectory());
  if (folder !== undefined && others.length > 0) {
    throw wrong(`The folder ${folder} is named beside ${paths.find(path => path !== folder) ?? 'itself'}.`);
  }
  const twice = paths.find((path, index) => paths.indexOf(path) < index);
  if (twice !== undefined) throw wrong(`The file ${twice} is named twice.`);
  if (paths.length === 0 || folder !== undefined) return { source: first, files: [] };
  const source = paths.map(path => dirname(path)).reduce(common);
  return { source, files: paths.map(path => relative(source, path)) };
}

/** The deepest folder that holds both. */
function common(a: string, b: string): string {
  return relative(a, b).split(sep)[0] === '..' ? common(dirname(a), b) : a;
}

function wrong(message: string): UserError {
  return new UserError(message, { where: { input: 'source' }, cure });
}
