import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import { type Adapter, ask, type NixFailure } from './adapter.ts';
import type { PlanConfig } from './config.ts';
import { checkLock, flakeReference } from './flake.ts';
import type { Format } from './fleet.ts';
import type { Repository } from './git.ts';

/** What the source is and how it is asked. */
export interface Source {
  format: Format;
  /** In words, when it was found and not said. */
  detected: string | null;
  adapter: Adapter;
  /** The file that everything starts from, relative to the source's folder. */
  main: string;
}

/** What is looked into while the format is found. */
interface Found {
  folder: string;
  repository: Repository | null;
  config: PlanConfig;
  nix: Nix;
  context: Context;
  onFailure: (failure: NixFailure, main: string) => Error;
}

interface Candidate {
  format: Format;
  main: string;
  why: string;
}

/** @throws UserError when there is no such folder; needs no Nix, so it can be asked first of all. */
export function checkFolder(folder: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  throw new UserError(`There is no folder ${folder}.`, {
    where: { input: 'source' },
    cure: 'Let `source` name the folder of the repository that holds the configuration.',
  });
}

/**
 * Finds what the source is, where `format` does not say it, and how it is asked.
 *
 * @throws UserError when there is nothing, or when two are there and none of them is a part of the other.
 */
export async function sourceOf(
  config: PlanConfig,
  repository: Repository | null,
  nix: Nix,
  context: Context,
  onFailure: (failure: NixFailure, main: string) => Error,
): Promise<Source> {
  const folder = config.source;
  checkFolder(folder);
  const found: Found = { folder, repository, config, nix, context, onFailure };
  if (config.format !== 'auto') {
    const main = mainOf(config.format, found);
    return { format: config.format, detected: null, adapter: await adapterOf(config.format, main, found), main };
  }
  const { format, main, why } = await detect(found);
  return { format, detected: why, adapter: await adapterOf(format, main, found), main };
}

async function detect(found: Found): Promise<Candidate> {
  const candidates = await strong(found);
  if (candidates.length === 0) candidates.push(...weak(found));
  const [first, second] = candidates;
  if (first === undefined) {
    throw new UserError(`No NixOS configuration was found in ${found.folder}.`, {
      where: { input: 'source' },
      cure: 'It looks for flake.nix, hive.nix, network.nix, nixops.nix, nixos.nix, default.nix and configuration.nix; let `source` name their folder.',
    });
  }
  if (second !== undefined) {
    throw new UserError(`It could be ${first.format} (${first.why}) or ${second.format} (${second.why}).`, {
      where: { input: 'format' },
      cure: `Write \`format: ${first.format}\` or \`format: ${second.format}\`.`,
    });
  }
  return first;
}

/** Files that say by themselves that the fleet starts from them. */
async function strong(found: Found): Promise<Candidate[]> {
  const has = (file: string): boolean => existsSync(join(found.folder, file));
  const candidates: Candidate[] = [];
  if (has('flake.nix')) candidates.push(...(await flakeCandidates(found)));
  if (has('hive.nix') && !candidates.some(({ format }) => format === 'colmena')) {
    candidates.push({ format: 'colmena', main: 'hive.nix', why: 'hive.nix' });
  }
  if (has('network.nix')) candidates.push(...(await networkCandidates(found)));
  if (has('nixops.nix')) candidates.push({ format: 'nixops', main: 'nixops.nix', why: 'nixops.nix' });
  return candidates;
}

const flakeOutputs: { output: string; format: Format }[] = [
  { output: 'deploy', format: 'deploy-rs' },
  { output: 'colmenaHive', format: 'colmena' },
  { output: 'colmena', format: 'colmena' },
  { output: 'nixopsConfigurations', format: 'nixops' },
];

/** A tool's output stands above nixosConfigurations, which such a flake mostly has too, as the tool's own raw material. */
async function flakeCandidates(found: Found): Promise<Candidate[]> {
  const adapter = await flakeAdapter('outputs', found);
  const outputs = await namesOf(adapter, found, 'flake.nix');
  const candidates: Candidate[] = [];
  for (const { output, format } of flakeOutputs) {
    if (outputs.names.includes(output) && !candidates.some(candidate => candidate.format === format)) {
      candidates.push({ format, main: 'flake.nix', why: `flake.nix has the output ${output}` });
    }
  }
  if (candidates.length > 0) return candidates;
  if (outputs.names.includes('nixosConfigurations')) {
    return [{ format: 'flake', main: 'flake.nix', why: 'flake.nix has the output nixosConfigurations' }];
  }
  throw new UserError('flake.nix has no output that names hosts.', {
    where: { file: 'flake.nix' },
    cure: `Write nixosConfigurations (or deploy, colmenaHive); it has ${outputs.names.join(', ') || 'none'}.`,
  });
}

const morphWords = ['pkgs', 'evalConfig', 'lib', 'runCommand', 'specialArgs', 'ordering', 'nixConfig', 'buildShell'];
const nixopsWords = ['nixpkgs', 'storage', 'lock', 'enableRollback'];

/** morph and NixOps both write network.nix; its `network` tells them apart where it says enough. */
async function networkCandidates(found: Found): Promise<Candidate[]> {
  const main = 'network.nix';
  const adapter = plain('network', found, { file: join(found.folder, main) });
  const { names, notes } = await namesOf(adapter, found, main);
  const { isFunction, top } = notes as { isFunction: boolean; top: string[] };
  const morph = names.filter(name => morphWords.includes(name)).map(name => `network.${name}`);
  const nixops = [
    ...names.filter(name => nixopsWords.includes(name)).map(name => `network.${name}`),
    ...top.filter(name => name === 'resources' || name === 'require'),
    ...(isFunction ? ['a function of arguments'] : []),
  ];
  const candidates: Candidate[] = [];
  const undecided = morph.length === 0 && nixops.length === 0;
  if (morph.length > 0 || undecided) {
    candidates.push({
      format: 'morph',
      main,
      why: `network.nix ${undecided ? 'is there' : `has ${morph.join(', ')}`}`,
    });
  }
  if (nixops.length > 0 || undecided) {
    candidates.push({
      format: 'nixops',
      main,
      why: `network.nix ${undecided ? 'is there' : `has ${nixops.join(', ')}`}`,
    });
  }
  return candidates;
}

/** Files that other formats have too; the first that is there counts. */
function weak({ folder }: Found): Candidate[] {
  const has = (file: string): boolean => existsSync(join(folder, file));
  const expressions = ['nixos.nix', 'default.nix'].filter(has);
  if (expressions.length > 0) {
    return expressions.map(main => ({ format: 'expression', main, why: `${main} is there` }));
  }
  const configurations = configurationFiles(folder);
  const [first] = Object.values(configurations);
  if (first === undefined) return [];
  return [{ format: 'configuration', main: first, why: `${Object.values(configurations).join(', ')} is there` }];
}

/** Host → configuration.nix: one in the folder itself, or one in each folder below it, `hosts/` or `machines/`. */
export function configurationFiles(folder: string): Record<string, string> {
  if (existsSync(join(folder, 'configuration.nix'))) return { single: 'configuration.nix' };
  for (const below of ['.', 'hosts', 'machines']) {
    if (!existsSync(join(folder, below))) continue;
    const hosts = readdirSync(join(folder, below), { withFileTypes: true })
      .filter(entry => entry.isDirectory() && existsSync(join(folder, below, entry.name, 'configuration.nix')))
      .map(entry => [entry.name, join(below, entry.name, 'configuration.nix')] as const);
    if (hosts.length > 0) return Object.fromEntries(hosts.sort());
  }
  return {};
}

/** The file that a format said by the user starts from. */
function mainOf(format: Format, { folder, config }: Found): string {
  const usual: Record<Format, string[]> = {
    flake: ['flake.nix'],
    'deploy-rs': ['flake.nix'],
    colmena: ['hive.nix', 'flake.nix'],
    morph: ['network.nix'],
    nixops: ['nixops.nix', 'network.nix', 'flake.nix'],
    expression: ['nixos.nix', 'default.nix'],
    configuration: Object.values(configurationFiles(folder)).slice(0, 1),
  };
  const names = config.files !== undefined && config.files.length > 0 ? config.files : usual[format];
  const main = names.find(name => existsSync(join(folder, name)));
  if (main !== undefined) return main;
  const looked = names.length > 0 ? names : ['configuration.nix', 'hosts/*/configuration.nix'];
  throw new UserError(`There is no ${looked.join(' and no ')} in ${folder}.`, {
    where: { input: 'source' },
    cure: `Let \`source\` name the folder of the ${format} configuration.`,
  });
}

async function adapterOf(format: Format, main: string, found: Found): Promise<Adapter> {
  const { folder, config } = found;
  if (basename(main) === 'flake.nix') return flakeAdapter(format === 'flake' ? 'flake' : format, found);
  const file = join(folder, main);
  switch (format) {
    case 'expression':
      return plain('expression', found, {
        file,
        attribute: attributePath(config.attribute),
        fallback: fallbackName(folder),
      });
    case 'configuration': {
      const given = config.files ?? [];
      const files =
        given.length === 0
          ? configurationFiles(folder)
          : given.length === 1
            ? { single: given[0] as string }
            : Object.fromEntries(given.map(name => [basename(dirname(name)), name]));
      return plain('configuration', found, {
        single: 'single' in files,
        fileOf: Object.fromEntries(Object.entries(files).map(([host, name]) => [host, join(folder, name)])),
        fallback: fallbackName(folder),
      });
    }
    case 'nixops': {
      const files = config.files !== undefined && config.files.length > 0 ? config.files : [main];
      return plain('nixops', found, { files: files.map(name => join(folder, name)), arguments: {} });
    }
    case 'morph':
    case 'colmena':
      return plain(format, found, { file });
    default:
      throw new UserError(`${format} starts from flake.nix, not from ${main}.`, { where: { input: 'source' } });
  }
}

function fallbackName(folder: string): string {
  return basename(resolve(folder)) || 'nixos';
}

function plain(file: string, { folder, repository, config }: Found, request: Record<string, unknown>): Adapter {
  return {
    file,
    request: {
      ...request,
      root: repository?.root ?? folder,
      system: config.system,
      warn: config.nixpkgsPin === 'warn',
    },
    pure: false,
    roots: [repository?.root ?? folder],
  };
}

async function flakeAdapter(file: string, found: Found): Promise<Adapter> {
  const { folder, repository, config, nix, context } = found;
  const reference = flakeReference(folder, repository);
  const strict = config.nixpkgsPin === 'error';
  if (!reference.locked) {
    context.log.notice(
      repository === null
        ? 'The source is not in a Git repository: its flake is evaluated as the folder is.'
        : 'The work tree has uncommitted changes: the flake is evaluated with them, and not purely.',
    );
    if (strict) await checkLock(folder, repository, nix, context, found.onFailure);
  }
  return {
    file,
    request: { reference: reference.url, system: config.system },
    pure: reference.locked && strict,
    roots: [repository?.root ?? folder],
  };
}

interface Names {
  names: string[];
  root: string;
  notes: unknown;
}

async function namesOf(adapter: Adapter, found: Found, main: string): Promise<Names> {
  const { result, failure } = await ask(adapter, 'names', { hosts: [] }, found.nix, found.context);
  if (failure !== null) throw found.onFailure(failure, main);
  return result as Names;
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
