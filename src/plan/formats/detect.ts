import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { UserError } from '../../errors.ts';
import { callAdapter, type Names } from '../evaluation/adapter.ts';
import { inRepository } from '../evaluation/places.ts';
import type { Source } from '../source.ts';
import { fileAdapter, flakeAdapter, isFlake, namesOf } from './adapter.ts';
import { elsewhere } from './elsewhere.ts';
import type { FileOutline } from './format.ts';
import { type Format, formatNames, formats } from './index.ts';

/** A format that the source may have. */
interface Candidate {
  format: Format;
  /** The file that the evaluation starts from, relative to the source's folder. */
  main: string;
  /** The signs of the format, as text for the log. */
  why: string;
}

/**
 * Detects the format of a source.
 *
 * @throws UserError if no format matches, or more than one.
 */
export async function detect(source: Source): Promise<Candidate> {
  const { folder, files } = source;
  const candidates = files.length > 0 ? await amongFiles(source) : await inFolder(source);
  const [first, second] = candidates;
  if (first === undefined) throw files.length > 0 ? unknownFiles(files) : nothingFound(folder);
  if (second !== undefined) throw ambiguous(first, second);
  return first;
}

/** Looks for the usual files. The files of generic formats count only if there are no others. */
async function inFolder(source: Source): Promise<Candidate[]> {
  const has = (file: string): boolean => existsSync(join(source.folder, file));
  const specific = formatNames.filter(format => formats[format].generic !== true);
  const flakes = has('flake.nix') ? await inFlake('flake.nix', source) : [];
  const others: Candidate[] = [];
  for (const file of new Set(specific.flatMap(format => formats[format].mainFiles))) {
    if (!has(file)) continue;
    const owners = specific.filter(format => formats[format].mainFiles.includes(file));
    const found = owners.length > 1 ? bySigns(file, owners, await outlineOf(file, source)) : named(file, owners);
    // The output `colmena` of a flake mostly comes from hive.nix.
    others.push(...found.filter(({ format }) => !flakes.some(flake => flake.format === format)));
  }
  const [flake] = flakes;
  const read = flake === undefined || others.length === 0 ? new Set() : await filesOf(flake, source);
  const candidates = [...flakes, ...others.filter(({ main }) => !read.has(main))];
  if (candidates.length > 0) return candidates;
  for (const format of formatNames) {
    const { generic, mainFiles, find } = formats[format];
    const existing = find?.(source.folder) ?? mainFiles.filter(has);
    const [main] = existing;
    if (generic !== true || main === undefined) continue;
    // Hosts in folders of their own are one source; other files are alternatives.
    const mains = find === undefined ? existing : [main];
    return mains.map(file => ({
      format,
      main: file,
      why: find === undefined || existing.length === 1 ? `${file} exists` : `${existing.join(', ')} exist`,
    }));
  }
  return [];
}

/** The files that the evaluation of a candidate reads to know its hosts, relative to the source's folder. */
async function filesOf({ format, main }: Candidate, source: Source): Promise<Set<string>> {
  const adapter = await formats[format].adapter(main, source);
  const { value, failure, files } = await callAdapter(adapter, { attribute: 'names' }, source);
  const roots = failure?.roots ?? [...adapter.roots, (value as Names).root];
  const folder = relative(source.root, source.folder);
  return new Set(
    [...files].flatMap(file => {
      const inside = inRepository({ file }, roots);
      return inside === null ? [] : [relative(folder, inside.file)];
    }),
  );
}

/** Looks at the files that the input `source` names: at their names and, if those are not usual ones, at their contents. */
async function amongFiles(source: Source): Promise<Candidate[]> {
  const { files } = source;
  const [main = '', ...others] = files;
  if (others.length === 0 && isFlake(main)) return inFlake(main, source);
  const accepting = formatNames.filter(format => others.length === 0 || formats[format].severalFiles === true);
  const owners = accepting.filter(format => files.every(file => formats[format].mainFiles.includes(basename(file))));
  if (owners.length === 1) return named(main, owners);
  const outlines = await Promise.all(files.map(file => outlineOf(file, source)));
  const matching = accepting.filter(format => outlines.some(outline => signsOf(format, outline) !== null));
  if (others.length === 0) return outlines.flatMap(outline => bySigns(main, matching, outline));
  const why = `several files are named, and ${matching.join(' or ')} merges them`;
  return matching.map(format => ({ format, main, why }));
}

function named(main: string, owners: readonly Format[]): Candidate[] {
  return owners.map(format => ({ format, main, why: main }));
}

/** The formats that a flake has outputs of; `nixosConfigurations` counts only if there is no other. */
async function inFlake(main: string, source: Source): Promise<Candidate[]> {
  const { names } = await namesOf(await flakeAdapter('outputs', source), source, main);
  const candidates = formatNames.flatMap(format => {
    const output = formats[format].flakeOutputs?.find(name => names.includes(name));
    return output === undefined ? [] : [{ format, main, why: `flake.nix has the output ${output}` }];
  });
  const specific = candidates.filter(({ format }) => formats[format].generic !== true);
  if (specific.length > 0) return specific;
  if (candidates.length > 0) return candidates;
  throw new UserError('flake.nix has no output that defines hosts.', {
    where: { file: main },
    cure: `Add nixosConfigurations (or deploy, colmenaHive). Its outputs: ${names.join(', ') || 'none'}.`,
  });
}

/** The formats of `among` that a file shows signs of; if it shows none, all of them that it can be. */
function bySigns(main: string, among: readonly Format[], outline: FileOutline): Candidate[] {
  const signs = among.map(format => ({ format, words: signsOf(format, outline) ?? [] }));
  const shown = signs.filter(({ words }) => words.length > 0);
  if (shown.length === 0) return among.map(format => ({ format, main, why: `${main} exists` }));
  return shown.map(({ format, words }) => ({ format, main, why: `${main} has ${words.join(', ')}` }));
}

function signsOf(format: Format, outline: FileOutline): readonly string[] | null {
  return formats[format].signs?.(outline) ?? null;
}

async function outlineOf(file: string, source: Source): Promise<FileOutline> {
  const adapter = fileAdapter('network', source, { file: join(source.folder, file) });
  const { names, notes } = await namesOf(adapter, source, file);
  const { isFunction, top } = notes as { isFunction: boolean; top: string[] };
  return { name: basename(file), isFunction, attributes: top, network: names };
}

function unknownFiles(files: readonly string[]): UserError {
  return new UserError(`The format of ${files.join(' and ')} could not be detected.`, {
    where: { input: 'format' },
    cure: 'Write `format: configuration` for a NixOS configuration, or the name of its format.',
  });
}

function nothingFound(folder: string): UserError {
  const usual = [...new Set(formatNames.flatMap(format => formats[format].mainFiles))];
  const meant = elsewhere(folder, ['flake.nix', ...usual]);
  return new UserError(`No NixOS configuration was found in ${folder}.`, {
    where: { input: 'source' },
    cure: [
      ...(meant.length === 0 ? [] : [`It contains ${meant.join(', ')}: write for example \`source: ${meant[0]}\`.`]),
      `Set \`source\` to a folder that contains flake.nix, ${usual.join(', ')}, or to a file.`,
    ].join(' '),
  });
}

function ambiguous(one: Candidate, other: Candidate): UserError {
  if (one.format === other.format) {
    return new UserError(`Both ${one.main} and ${other.main} could be the ${one.format} to start from.`, {
      where: { input: 'source' },
      cure: 'Set `source` to one of the files.',
    });
  }
  return new UserError(`The format could be ${one.format} (${one.why}) or ${other.format} (${other.why}).`, {
    where: { input: 'format' },
    cure: `Write \`format: ${one.format}\` or \`format: ${other.format}\`.`,
  });
}
