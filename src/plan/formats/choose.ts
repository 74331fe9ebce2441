import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { Nix } from '../../nix/index.ts';
import type { PlanConfig } from '../config.ts';
import type { Adapter, NixFailure } from '../evaluation/adapter.ts';
import type { Format } from '../fleet.ts';
import type { Repository } from '../repository.ts';
import { type Found, flakeAdapter, plain } from './adapter.ts';
import { configurationsIn, configurationsNamed, filesOf } from './configuration.ts';
import { detect } from './detect.ts';

/** What the source is and how it is asked. */
export interface Source {
  format: Format;
  /** In words, when it was found and not said. */
  detected: string | null;
  adapter: Adapter;
  /** The file that everything starts from, relative to the source's folder. */
  main: string;
}

/**
 * Finds what the source is, where `format` does not say it, and how it is asked.
 *
 * @throws UserError for a source that cannot be told, and for files or arguments that its format does not take.
 */
export async function sourceOf(
  config: PlanConfig,
  repository: Repository | null,
  nix: Nix,
  context: Context,
  onFailure: (failure: NixFailure, main: string) => Error,
): Promise<Source> {
  const found: Found = {
    folder: config.source,
    files: config.files ?? [],
    repository,
    config,
    nix,
    context,
    onFailure,
  };
  const { format, main, why } =
    config.format === 'auto'
      ? await detect(found)
      : { format: config.format, main: mainOf(config.format, found), why: null };
  checkTaken(format, config);
  return { format, detected: why, adapter: await adapterOf(format, main, found), main };
}

/** @throws UserError for several files, or arguments, that the format does not take. */
function checkTaken(format: Format, { files = [], arguments: given = {} }: PlanConfig): void {
  if (files.length > 1 && format !== 'nixops' && format !== 'configuration') {
    throw new UserError(`${format} starts from one file, and \`source\` names ${files.join(', ')}.`, {
      where: { input: 'source' },
      cure: 'Name the one that it starts from.',
    });
  }
  const [name] = Object.keys(given);
  if (name !== undefined && format !== 'nixops' && format !== 'expression') {
    throw new UserError(`${format} takes no arguments, and ${JSON.stringify(name)} is given.`, {
      where: { input: 'arguments' },
      cure: 'Only a NixOps network and an expression may be functions of arguments.',
    });
  }
}

/** The file that a format said by the user starts from. */
function mainOf(format: Format, { folder, files }: Found): string {
  const usual: Record<Format, string[]> = {
    flake: ['flake.nix'],
    'deploy-rs': ['flake.nix'],
    colmena: ['hive.nix', 'flake.nix'],
    morph: ['network.nix'],
    nixops: ['nixops.nix', 'network.nix', 'flake.nix'],
    expression: ['nixos.nix', 'default.nix'],
    configuration: filesOf(configurationsIn(folder)).slice(0, 1),
  };
  const [main] = files.length > 0 ? files : usual[format].filter(name => existsSync(join(folder, name)));
  if (main !== undefined) return main;
  const looked = format === 'configuration' ? ['configuration.nix', 'hosts/*/configuration.nix'] : usual[format];
  throw new UserError(`There is no ${looked.join(' and no ')} in ${folder}.`, {
    where: { input: 'source' },
    cure: `Let \`source\` name the folder of the ${format} configuration, or its file.`,
  });
}

async function adapterOf(format: Format, main: string, found: Found): Promise<Adapter> {
  const { folder, files, config } = found;
  const file = join(folder, main);
  const isFlake = basename(main) === 'flake.nix';
  const given = config.arguments ?? {};
  switch (format) {
    case 'flake':
    case 'deploy-rs':
      if (isFlake) return flakeAdapter(format, found);
      throw new UserError(`${format} starts from flake.nix, not from ${main}.`, { where: { input: 'source' } });
    case 'colmena':
      return isFlake ? flakeAdapter(format, found) : plain(format, found, { file });
    case 'nixops': {
      const paths = (files.length > 0 ? files : [main]).map(name => join(folder, name));
      return isFlake
        ? flakeAdapter(format, found, { arguments: given })
        : plain(format, found, { files: paths, arguments: given });
    }
    case 'morph':
      return plain(format, found, { file });
    case 'expression': {
      const attribute = attributePath(config.attribute);
      return plain(format, found, { file, attribute, fallback: fallbackName(folder), arguments: given });
    }
    case 'configuration': {
      const asked = files.length > 0 ? configurationsNamed(files) : configurationsIn(folder);
      return plain(
        format,
        found,
        'single' in asked
          ? { single: join(folder, asked.single), fallback: fallbackName(folder) }
          : {
              single: null,
              fileOf: Object.fromEntries(Object.entries(asked.hosts).map(([h, f]) => [h, join(folder, f)])),
            },
      );
    }
  }
}

function fallbackName(folder: string): string {
  return basename(resolve(folder)) || 'nixos';
}

/**
 * `a."b.c".d` as its names.
 *
 * @throws UserError when a quote is left open or a name is empty.
 */
export function attributePath(text: string | null): string[] {
  if (text === null || text.trim() === '') return [];
  const names: string[] = [];
  const part = /"((?:[^"\\]|\\.)*)"|([^."\s]+)/y;
  let at = 0;
  for (;;) {
    part.lastIndex = at;
    const match = part.exec(text);
    if (match === null) break;
    names.push(match[2] ?? (match[1] ?? '').replace(/\\(.)/gs, '$1'));
    at = part.lastIndex;
    if (at === text.length) return names;
    if (text[at] !== '.') break;
    at += 1;
  }
  throw new UserError(`${JSON.stringify(text)} is no attribute path.`, {
    where: { input: 'attribute' },
    cure: 'Write names with dots between them, in quotes where a name holds a dot: `hosts."a.b".system`.',
  });
}
