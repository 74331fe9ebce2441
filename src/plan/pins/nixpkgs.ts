import { homedir } from 'node:os';
import { relative } from 'node:path';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { Nix } from '../../nix/index.ts';
import type { PlanConfig } from '../config.ts';
import { type Adapter, ask, type NixFailure } from '../evaluation/adapter.ts';
import type { Format } from '../fleet.ts';
import type { Source } from '../formats/choose.ts';
import { givenNixpkgs, pinError, pinsAround } from './problems.ts';

/**
 * The adapter with what stands for <nixpkgs>: the pin in the input `nixpkgs`, for configuration.nix and NixOps, which say
 * none themselves, the one beside or above them; with `nixpkgs-pin: warn` the machine's.
 *
 * @returns the adapter, and the Nix files that were evaluated to know the pin.
 * @throws UserError for a pin that isn't one, several of them, or none where one is needed.
 */
export async function withNixpkgs(
  source: Source,
  config: PlanConfig,
  nix: Nix,
  context: Context,
  onFailure: (failure: NixFailure, main: string) => Error,
): Promise<{ adapter: Adapter; files: Set<string> }> {
  const files = new Set<string>();
  const { adapter, format } = source;
  if ('reference' in adapter.request) return { adapter, files };
  const root = String(adapter.request.root);
  const text =
    config.nixpkgs ?? (format === 'configuration' || format === 'nixops' ? onlyPin(config, root, format) : null);
  if (text !== null) {
    const given = givenNixpkgs(text, config.source);
    const path =
      typeof given === 'string' ? given : await folderOf(given, adapter, files, nix, context, onFailure, config);
    const request = { ...adapter.request, nixpkgs: path };
    return { adapter: { ...adapter, request, searchPath: [`nixpkgs=${path}`] }, files };
  }
  if (config.nixpkgsPin === 'warn') {
    return { adapter: { ...adapter, searchPath: searchPath(config.nixPath ?? null) }, files };
  }
  if (format !== 'configuration') return { adapter, files };
  throw pinError([
    {
      what: `${source.main} says no nixpkgs, and none is pinned beside or above it`,
      file: source.main,
      line: 1,
      cure: 'Run `npins init` beside it, or name a pin in the input `nixpkgs`, as `github:NixOS/nixpkgs/<commit>?narHash=sha256-…`.',
    },
  ]);
}

function onlyPin(config: PlanConfig, root: string, format: Format): string | null {
  const [first, second] = pinsAround(config.source, root);
  if (second === undefined) return first ?? null;
  // A network mostly says itself which of them it takes.
  if (format === 'nixops') return null;
  throw new UserError(`Both ${first} and ${second} pin a nixpkgs.`, {
    where: { input: 'nixpkgs' },
    cure: `Write \`nixpkgs: ${first}\` or \`nixpkgs: ${second}\`.`,
  });
}

async function folderOf(
  given: { kind: string; path: string },
  adapter: Adapter,
  files: Set<string>,
  nix: Nix,
  context: Context,
  onFailure: (failure: NixFailure, main: string) => Error,
  config: PlanConfig,
): Promise<string> {
  const told = await ask({ ...adapter, file: 'pin', request: given }, 'names', {}, nix, context);
  for (const file of told.files) files.add(file);
  const { result, failure } = told;
  if (failure !== null) throw onFailure(failure, relative(config.source, given.path));
  return (result as { root: string }).root;
}

/** The entries of a NIX_PATH; colons in addresses part nothing. Without one, where Nix looks for channels by itself. */
function searchPath(nixPath: string | null): string[] {
  if (nixPath !== null) return nixPath.split(/:(?!\/\/)/).filter(entry => entry !== '');
  return [
    `${homedir()}/.nix-defexpr/channels`,
    'nixpkgs=/nix/var/nix/profiles/per-user/root/channels/nixpkgs',
    '/nix/var/nix/profiles/per-user/root/channels',
  ];
}
