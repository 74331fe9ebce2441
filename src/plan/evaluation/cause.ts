import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { lineOf } from '../pins/scan.ts';
import type { Repository } from '../repository.ts';
import type { NixFailure } from './adapter.ts';
import { importCycle } from './import-cycle.ts';
import { misreadConfiguration } from './misread.ts';
import { type FilePlace, findInOwn, inRepository, placeOf } from './places.ts';

/** What an evaluation failed because of, if Nix's message does not say it: most often a file that the checkout does not have. */
export interface Cause {
  message: string;
  cure: string;
  /** Relative to the repository. */
  place: FilePlace | null;
}

/** What is known of the folder that was evaluated. */
interface Evaluated {
  root: string;
  repository: Repository | null;
}

/** The cause of a failure; null if it is not one of these. */
export function causeOf(failure: NixFailure, source: Evaluated): Cause | null {
  const text = failure.message;
  if (/file 'nixos-config' was not found|cannot look up '<nixos-config>'/.test(text))
    return copiedConfiguration(failure);
  if (/string '' doesn't represent an absolute path/i.test(text)) {
    const variable = emptyVariable(failure, source);
    if (variable !== null) return variable;
  }
  if (/stack overflow/i.test(text)) {
    const cycle = endlessImports(failure);
    if (cycle !== null) return cycle;
  }
  const encoded = encodedFile(failure, source);
  if (encoded !== null) return encoded;
  const wanted = missingPath(failure);
  if (wanted !== null) return missingFile(wanted, failure, source);
  return forbiddenFile(failure) ?? misreadConfiguration(failure);
}

/** A file of the target in /etc/nixos, which the machine that evaluates may not even look for. */
function forbiddenFile(failure: NixFailure): Cause | null {
  // Nix names the first part of the path that may not be read.
  if (!/access to (?:(?:absolute|canonical) )?path '\/etc(?:\/nixos[^']*)?' is forbidden/.test(failure.message))
    return null;
  let wanted: string | null = null;
  findInOwn(failure, text => {
    const found = /\/etc\/nixos\/[\w.+/-]+/.exec(text);
    wanted ??= found?.[0] ?? null;
    return found?.index;
  });
  return wanted === null ? null : ofMachine(wanted, failure);
}

/** Only `system.copySystemConfiguration` of nixpkgs' modules reads <nixos-config> (nixos/modules/system/activation/top-level.nix). */
function copiedConfiguration(failure: NixFailure): Cause | null {
  const place = findInOwn(failure, text => /copySystemConfiguration\s*=\s*(?:lib\.mk\w+\s+)?true/.exec(text)?.index);
  if (place === null) return null;
  return {
    message:
      '`system.copySystemConfiguration = true` copies the configuration.nix of the machine that evaluates, which has none.',
    cure: 'Remove it; with `include-source`, archives and targets have the configuration.',
    place,
  };
}

/** `builtins.getEnv` returns an empty text in pure and in restricted evaluations. */
function emptyVariable(failure: NixFailure, { root }: Evaluated): Cause | null {
  const pattern = /\bgetEnv\s+("[^"\n]*")/;
  const near = placeOf(failure);
  const text = near === null ? '' : readFileSync(join(root, near.file), 'utf8');
  const inFile = pattern.exec(text);
  const place =
    near !== null && inFile !== null
      ? { file: near.file, line: lineOf(text, inFile.index), column: 1 }
      : findInOwn(failure, other => pattern.exec(other)?.index);
  if (place === null) return null;
  const [, name] = pattern.exec(inFile === null ? readFileSync(join(root, place.file), 'utf8') : text) ?? [];
  return {
    message: `builtins.getEnv ${name} (${place.file}:${place.line}) is empty, because an evaluation does not read the environment.`,
    cure: 'Write the value into a file of the repository; a secret belongs on the target, not in its configuration.',
    place,
  };
}

function endlessImports(failure: NixFailure): Cause | null {
  const cycle = importCycle(failure);
  if (cycle === null) return null;
  const { files, place } = cycle;
  if (files.length === 1)
    return { message: `${place.file} imports itself.`, cure: 'Remove the import, or correct its path.', place };
  return {
    message: `${place.file} imports ${files.join(', which imports ')}.`,
    cure: 'Remove one of the imports.',
    place,
  };
}

/** A pointer of Git LFS or a file of git-crypt that was evaluated, or that the place of the error reads. */
function encodedFile(failure: NixFailure, { root, repository }: Evaluated): Cause | null {
  const place = placeOf(failure);
  const read =
    place === null || !existsSync(join(root, place.file)) ? '' : readFileSync(join(root, place.file), 'utf8');
  const from = place === null ? root : dirname(join(root, place.file));
  const reads = (file: string): boolean => referenceTo(join(root, file), from, read) !== null;
  const found = repository?.encoded.find(
    ({ file }) => place?.file === file || failure.message.includes(`/${file}'`) || reads(file),
  );
  if (found === undefined) return null;
  const { file, by } = found;
  return by === 'Git LFS'
    ? {
        message: `${file} is kept in Git LFS, and the checkout has only a pointer to it.`,
        cure: 'Set `lfs: true` of actions/checkout, or run `git lfs pull`.',
        place,
      }
    : {
        message: `${file} is encrypted by git-crypt.`,
        cure: 'Run `git-crypt unlock` before this step, or do not evaluate its content: what is evaluated can be read by everyone on the target.',
        place,
      };
}

/** The path that Nix did not find, as it names it. */
function missingPath({ message }: NixFailure): string | null {
  const match =
    /path '([^']+)' does not exist/i.exec(message) ??
    /(?:getting status of|opening file|reading directory) '([^']+)': No such file or directory/.exec(message) ??
    /Path '([^']+)' (?:in the repository|does not exist in Git repository)/.exec(message) ??
    /file '([^']+)' does not exist/i.exec(message);
  return match?.[1]?.replace(/^«[^»]*»\//, '') ?? null;
}

function missingFile(wanted: string, failure: NixFailure, { root, repository }: Evaluated): Cause | null {
  const inside = isAbsolute(wanted) ? inRepository({ file: wanted }, failure.roots) : { file: wanted };
  if (inside === null) return wanted.startsWith('/etc/nixos/') ? ofMachine(wanted, failure) : null;
  const { file } = inside;
  const importer = findInOwn(failure, (text, folder) => referenceTo(join(root, file), join(root, folder), text));
  const place = importer ?? placeOf(failure);
  const by = importer === null ? '' : `, which ${importer.file}:${importer.line} reads,`;
  const submodule = repository?.submodules.find(
    ({ path, checkedOut }) => !checkedOut && (file === path || file.startsWith(`${path}/`)),
  );
  if (submodule !== undefined) {
    return {
      message: `${file}${by} is in the submodule ${submodule.path}, which is not checked out.`,
      cure: 'Set `submodules: true` of actions/checkout, or run `git submodule update --init --recursive`.',
      place,
    };
  }
  if (repository !== null && existsSync(join(root, file))) {
    return {
      message: `${file}${by} is not tracked by Git, and Nix sees only tracked files of a flake.`,
      cure: `Run \`git add ${file}\` and commit it.`,
      place,
    };
  }
  const how = file.endsWith('hardware-configuration.nix')
    ? ' `nixos-generate-config --show-hardware-config` prints it on the machine.'
    : '';
  return repository === null
    ? { message: `${file}${by} does not exist.`, cure: `Create it, or correct the path.${how}`, place }
    : { message: `${file}${by} is not in the repository.`, cure: `Commit it, or correct the path.${how}`, place };
}

function ofMachine(wanted: string, failure: NixFailure): Cause {
  const importer = findInOwn(failure, text => {
    const at = text.indexOf(wanted);
    return at < 0 ? undefined : at;
  });
  const by = importer === null ? '' : `, which ${importer.file}:${importer.line} reads,`;
  return {
    message: `${wanted}${by} is a file of the target, and the configuration is not evaluated there.`,
    cure: 'Commit a copy of it, and write its path relative to the file that reads it.',
    place: importer ?? placeOf(failure),
  };
}

/** The offset of a relative path to `file` in the text of a Nix file in `folder`, both absolute; null if there is none. */
function referenceTo(file: string, folder: string, text: string): number | null {
  for (const match of text.matchAll(/\.{1,2}\/[\w.+/-]*/g)) {
    const path = resolve(folder, match[0]);
    if (path === file || join(path, 'default.nix') === file) return match.index;
  }
  return null;
}
