import type { Context } from '../context.ts';
import { Nix, type NixInstallation } from '../nix/index.ts';
import { showSettings } from './settings.ts';

/** Nix's name of the system that Node runs on. */
export function localSystem(): string {
  const processor = { x64: 'x86_64', arm64: 'aarch64', riscv64: 'riscv64', arm: 'armv7l', ia32: 'i686' }[
    process.arch as string
  ];
  return `${processor ?? process.arch}-${process.platform === 'darwin' ? 'darwin' : 'linux'}`;
}

/** The systems whose derivations Nix builds on this machine by itself. */
export async function ownSystems(installation: NixInstallation, context: Context): Promise<Set<string>> {
  const settings = await showSettings(installation, context);
  return new Set([settings.system?.value, settings['extra-platforms']?.value].flat().map(String));
}

/** Which derivations must be built, of those that `drvPaths` need and no substituter offers; nothing is built. */
export async function mustBuild(
  drvPaths: readonly string[],
  installation: NixInstallation,
  context: Context,
): Promise<string[]> {
  const nix = new Nix(context, installation);
  const found = new Set<string>();
  let building = false;
  await nix.run('nix-store', ['--realise', '--dry-run', ...drvPaths], {
    signal: context.signal,
    onStderr: line => {
      // Nix's src/libmain/shared.cc: a heading ends with a colon, the paths under it are indented.
      const path = /^ +(\/\S+)$/.exec(line)?.[1];
      if (path === undefined) building = / will be built:$/.test(line);
      else if (building && path.endsWith('.drv')) found.add(path);
    },
  });
  return [...found];
}
