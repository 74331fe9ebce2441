import { UserError } from '../errors.ts';
import { systemsOf } from '../nix/derivation.ts';
import type { Nix } from '../nix/index.ts';
import type { Answer } from './host.ts';

/** How deep a toplevel may lie in the package around it: a link farm in a link farm is three. */
const depth = 4;

const toplevel = /^\/nix\/store\/[a-z0-9]{32}-(nixos-system-.+)\.drv$/;

/**
 * Finds the toplevel behind a package that wraps one, as deploy-rs' profiles and packages with a switch script do, by what
 * its derivation refers to. An answer that is no package stays as it is.
 *
 * @throws UserError when the package holds no NixOS system, or several.
 */
export async function lookBehind(answer: Answer, nix: Nix): Promise<Answer> {
  if (answer.wrapper === null) return answer;
  const found = await toplevelsBehind(answer.wrapper, nix);
  if (found.includes(answer.drvPath)) return answer;
  const [drvPath, other] = found;
  if (drvPath === undefined) {
    throw new UserError(`${JSON.stringify(answer.name)} is a package, and no NixOS system is in it.`, {
      where: { host: answer.name },
      cure: 'Name a host: config.system.build.toplevel, a NixOS evaluation, or a package that links to one.',
    });
  }
  if (other !== undefined) {
    throw new UserError(
      `${JSON.stringify(answer.name)} is a package with several NixOS systems: ${found.join(', ')}.`,
      {
        where: { host: answer.name },
        cure: 'Name one of them by its attribute.',
      },
    );
  }
  const { stdout } = await nix.run('nix-store', ['--query', '--outputs', drvPath]);
  return {
    ...answer,
    drvPath,
    output: stdout.trim(),
    system: (await systemsOf([drvPath], nix)).get(drvPath) ?? 'unknown',
  };
}

async function toplevelsBehind(wrapper: string, nix: Nix): Promise<string[]> {
  let level = [wrapper];
  const seen = new Set(level);
  for (let i = 0; i < depth && level.length > 0; i++) {
    const { stdout } = await nix.run('nix-store', ['--query', '--references', ...level]);
    const references = [...new Set(stdout.split('\n').filter(path => path.endsWith('.drv') && !seen.has(path)))];
    const found = toplevelsIn(references);
    if (found.length > 0) return found.sort();
    for (const path of references) seen.add(path);
    level = references;
  }
  return [];
}

/** deploy-rs calls its scripts after the toplevel: `nixos-system-web-25.05-activate-rs` is none. */
export function toplevelsIn(drvPaths: readonly string[]): string[] {
  const named = drvPaths.flatMap(path => {
    const [, name] = toplevel.exec(path) ?? [];
    return name === undefined ? [] : [{ path, name }];
  });
  return named.filter(({ name }) => !named.some(other => name.startsWith(`${other.name}-`))).map(({ path }) => path);
}
