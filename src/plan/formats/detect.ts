import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../../errors.ts';
import type { Format } from '../fleet.ts';
import { type Found, flakeAdapter, namesOf, plain } from './adapter.ts';
import { configurationsIn, filesOf } from './configuration.ts';

/** What a source may be. */
interface Candidate {
  format: Format;
  /** The file that everything starts from. */
  main: string;
  why: string;
}

/**
 * Finds the format of a source that does not say it.
 *
 * @throws UserError when there is nothing, or when two are there and none of them is a part of the other.
 */
export async function detect(found: Found): Promise<Candidate> {
  const candidates = found.files.length > 0 ? await named(found) : await strong(found);
  if (found.files.length === 0 && candidates.length === 0) candidates.push(...weak(found));
  const [first, second] = candidates;
  if (first === undefined && found.files.length > 0) {
    throw new UserError(`What ${found.files.join(' and ')} holds is not told by its name.`, {
      where: { input: 'format' },
      cure: 'Write `format: configuration` for a NixOS configuration, or the format it is.',
    });
  }
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
  if (has('network.nix')) candidates.push(...(await networkCandidates('network.nix', found)));
  if (has('nixops.nix')) candidates.push({ format: 'nixops', main: 'nixops.nix', why: 'nixops.nix' });
  return candidates;
}

/** The files that were named: by their usual names or, of others, by what they hold. */
async function named(found: Found): Promise<Candidate[]> {
  const { files } = found;
  const [main = '', ...others] = files;
  if (files.every(file => basename(file) === 'configuration.nix')) {
    return [{ format: 'configuration', main, why: `${files.join(', ')} is named` }];
  }
  if (others.length > 0) {
    const networks = await Promise.all(files.map(async file => (await shapeOf(file, found)).isNetwork));
    const why = 'several files are named, which NixOps makes one network of';
    return networks.includes(true) ? [{ format: 'nixops', main, why }] : [];
  }
  switch (basename(main)) {
    case 'flake.nix':
      return flakeCandidates(found);
    case 'hive.nix':
      return [{ format: 'colmena', main, why: main }];
    case 'nixops.nix':
      return [{ format: 'nixops', main, why: main }];
    case 'nixos.nix':
    case 'default.nix':
      return [{ format: 'expression', main, why: `${main} is named` }];
    default: {
      const { isHive, isNetwork } = await shapeOf(main, found);
      if (isHive) return [{ format: 'colmena', main, why: `${main} has meta` }];
      return isNetwork ? networkCandidates(main, found) : [];
    }
  }
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

interface Shape {
  /** The names in its `network`. */
  network: string[];
  /** Its own names. */
  top: string[];
  isFunction: boolean;
  isNetwork: boolean;
  isHive: boolean;
}

/** What a file looks like before its format is known. */
async function shapeOf(main: string, found: Found): Promise<Shape> {
  const adapter = plain('network', found, { file: join(found.folder, main) });
  const { names, notes } = await namesOf(adapter, found, main);
  const { isFunction, top } = notes as { isFunction: boolean; top: string[] };
  // A function may be anything, unless its file says by its name what it is.
  const isNetwork = isFunction ? /^(?:network|nixops)/.test(basename(main)) : top.includes('network');
  return { network: names, top, isFunction, isNetwork, isHive: top.includes('meta') };
}

/** morph and NixOps both write network.nix; its `network` tells them apart where it says enough. */
async function networkCandidates(main: string, found: Found): Promise<Candidate[]> {
  const { network, top, isFunction } = await shapeOf(main, found);
  const words: Record<'morph' | 'nixops', string[]> = {
    morph: network.filter(name => morphWords.includes(name)).map(name => `network.${name}`),
    nixops: [
      ...network.filter(name => nixopsWords.includes(name)).map(name => `network.${name}`),
      ...top.filter(name => name === 'resources' || name === 'require'),
      ...(isFunction ? ['a function of arguments'] : []),
    ],
  };
  const undecided = words.morph.length === 0 && words.nixops.length === 0;
  return (['morph', 'nixops'] as const)
    .filter(format => undecided || words[format].length > 0)
    .map(format => ({ format, main, why: `${main} ${undecided ? 'is there' : `has ${words[format].join(', ')}`}` }));
}

/** Files that other formats have too; the first that is there counts. */
function weak({ folder }: Found): Candidate[] {
  const has = (file: string): boolean => existsSync(join(folder, file));
  const expressions = ['nixos.nix', 'default.nix'].filter(has);
  if (expressions.length > 0) {
    return expressions.map(main => ({ format: 'expression', main, why: `${main} is there` }));
  }
  const configurations = filesOf(configurationsIn(folder));
  const [first] = configurations;
  if (first === undefined) return [];
  return [{ format: 'configuration', main: first, why: `${configurations.join(', ')} is there` }];
}
