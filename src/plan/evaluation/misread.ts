import { existsSync, readFileSync } from 'node:fs';
import { codeOf } from '../pins/scan.ts';
import type { NixFailure } from './adapter.ts';
import type { Cause } from './cause.ts';
import { inRepository, placeOf } from './places.ts';

/** The cause of a failure if the configuration lacks its system, or if a file of another tool was read as a NixOS module. */
export function misreadConfiguration(failure: NixFailure): Cause | null {
  return withoutSystem(failure) ?? networkAsModule(failure);
}

/** nixpkgs' words, since 22.11: nixos/modules/misc/nixpkgs.nix. */
function withoutSystem(failure: NixFailure): Cause | null {
  if (!/Neither [`']?nixpkgs\.hostPlatform[`']? nor the legacy option/.test(failure.message)) return null;
  return {
    message: 'The configuration does not define the system of the host.',
    cure: 'Set `nixpkgs.hostPlatform = "x86_64-linux";` in it, which `nixos-generate-config` writes to hardware-configuration.nix, or set the input `system`, which applies to every NixOS evaluation without one.',
    place: placeOf(failure),
  };
}

/** The file that defines the unknown option is a network or a hive: sets of hosts, whose names are no options. */
function networkAsModule(failure: NixFailure): Cause | null {
  const { message, roots } = failure;
  if (!/The option [`'].+?' does not exist/.test(message)) return null;
  for (const [, path = ''] of message.matchAll(/\bIn [`'](\/[^\s'`]+)'/g)) {
    const inside = inRepository({ file: path }, roots);
    if (inside === null || !path.endsWith('.nix') || !existsSync(path)) continue;
    const names = topLevelNames(readFileSync(path, 'utf8'));
    const isNetwork = names.has('network');
    if (!isNetwork && !names.has('meta')) continue;
    const format = isNetwork ? '`format: morph` (or `format: nixops`)' : '`format: colmena`';
    return {
      message: `${inside.file} is ${isNetwork ? 'a network of morph or NixOps' : 'a hive of colmena'}, which defines hosts, but it is used as a NixOS module.`,
      cure: `Write \`source: ${inside.file}\` and ${format}, or import the modules of its hosts instead.`,
      place: { file: inside.file, line: null, column: null },
    };
  }
  return null;
}

/** The names that the outermost set of a Nix file defines. */
function topLevelNames(text: string): Set<string> {
  const names = new Set<string>();
  let depth = 0;
  for (const [token] of codeOf(text).matchAll(/[{}()[\]]|(?<![\w.'-])[A-Za-z_][\w'-]*(?=\s*(?:\.|=(?!=)))/g)) {
    if ('{(['.includes(token)) depth += 1;
    else if ('})]'.includes(token)) depth -= 1;
    else if (depth === 1) names.add(token);
  }
  return names;
}
