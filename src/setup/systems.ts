import type { Nix } from '../nix/index.ts';
import { showSettings } from './settings.ts';

/** Nix's name of the system that Node runs on. */
export function localSystem(): string {
  const processor = { x64: 'x86_64', arm64: 'aarch64', riscv64: 'riscv64', arm: 'armv7l', ia32: 'i686' }[
    process.arch as string
  ];
  return `${processor ?? process.arch}-${process.platform === 'darwin' ? 'darwin' : 'linux'}`;
}

/** The systems whose derivations Nix can build on this machine without emulation. */
export async function ownSystems(nix: Nix): Promise<Set<string>> {
  const settings = await showSettings(nix);
  return new Set([settings.system?.value, settings['extra-platforms']?.value].flat().map(String));
}

/** The derivations, of all that `drvPaths` need, that no substituter has and that must be built. Builds nothing. */
export async function mustBuild(drvPaths: readonly string[], nix: Nix, signal: AbortSignal): Promise<string[]> {
  const missing = new Set<string>();
  let building = false;
  await nix.run('nix-store', ['--realise', '--dry-run', ...drvPaths], {
    signal,
    onStderr: line => {
      // Nix's src/libmain/shared.cc: headings end with a colon, the paths below them are indented.
      const path = /^ +(\/\S+)$/.exec(line)?.[1];
      if (path === undefined) building = / will be built:$/.test(line);
      else if (building && path.endsWith('.drv')) missing.add(path);
    },
  });
  return [...missing];
}
