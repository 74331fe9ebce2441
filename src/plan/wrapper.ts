import { UserError } from '../errors.ts';
import { systemsOf } from '../nix/derivation.ts';
import type { Nix } from '../nix/index.ts';
import type { EvaluatedHost } from './host.ts';

/** Maximum depth of a toplevel in the package around it: a link farm in a link farm has depth three. */
const depth = 4;

const toplevel = /^\/nix\/store\/[a-z0-9]{32}-(nixos-system-.+)\.drv$/;

/**
 * Finds the toplevel inside a package that contains one, as deploy-rs' profiles and packages with a switch script do, by the
 * references of its derivation. A host that is not a package is returned unchanged, and a toplevel is the package itself.
 *
 * @throws UserError if the package contains no NixOS system, or several.
 */
export async function unwrapToplevel(host: EvaluatedHost, nix: Nix): Promise<EvaluatedHost> {
  if (host.wrapper === null) return host;
  // A toplevel contains those of its specialisations.
  const itself = toplevelsIn([host.wrapper]);
  const toplevels = itself.length > 0 ? itself : await toplevelsInside(host.wrapper, nix);
  if (toplevels.includes(host.drvPath)) return host;
  const [drvPath, other] = toplevels;
  if (drvPath === undefined) {
    throw new UserError(`${JSON.stringify(host.name)} is a package that contains no NixOS system.`, {
      where: { host: host.name },
      cure: 'Write config.system.build.toplevel, or a package that links to one; in deploy-rs, `activate.nixos self.nixosConfigurations.<name>`.',
    });
  }
  if (other !== undefined) {
    throw new UserError(
      `${JSON.stringify(host.name)} is a package that contains several NixOS systems: ${toplevels.join(', ')}.`,
      {
        where: { host: host.name },
        cure: 'Write the attribute of one of them.',
      },
    );
  }
  const { stdout } = await nix.run('nix-store', ['--query', '--outputs', drvPath]);
  const system = (await systemsOf([drvPath], nix)).get(drvPath) ?? 'unknown';
  return { ...host, drvPath, output: stdout.trim(), system };
}

async function toplevelsInside(wrapper: string, nix: Nix): Promise<string[]> {
  let level = [wrapper];
  const seen = new Set(level);
  for (let i = 0; i < depth && level.length > 0; i++) {
    const { stdout } = await nix.run('nix-store', ['--query', '--references', ...level]);
    const references = [...new Set(stdout.split('\n').filter(path => path.endsWith('.drv') && !seen.has(path)))];
    const toplevels = toplevelsIn(references);
    if (toplevels.length > 0) return toplevels.sort();
    for (const path of references) seen.add(path);
    level = references;
  }
  return [];
}

/** deploy-rs names its scripts after the toplevel: `nixos-system-web-25.05-activate-rs` is not one. */
export function toplevelsIn(drvPaths: readonly string[]): string[] {
  const named = drvPaths.flatMap(path => {
    const [, name] = toplevel.exec(path) ?? [];
    return name === undefined ? [] : [{ path, name }];
  });
  return named.filter(({ name }) => !named.some(other => name.startsWith(`${other.name}-`))).map(({ path }) => path);
}
