import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { explain } from '../errors.ts';
import { Nix, type NixInstallation } from '../nix/index.ts';
import type { SetupConfig, SetupPorts } from './config.ts';
import { type FoundNix, findNix } from './find.ts';
import { checkStore, proveSandbox } from './probe.ts';
import { localSystem } from './systems.ts';

/**
 * The machine's own Nix, if it is suitable as it is: no input needs other settings, it accepts builds from this user, and
 * builds are isolated; if nothing is built, it is enough that it accepts derivations. Needs no root and changes nothing.
 *
 * @returns null if it is not suitable; the log says why.
 */
export async function machineNix(
  config: SetupConfig,
  context: Context,
  ports: SetupPorts,
): Promise<{ nix: NixInstallation; found: FoundNix } | null> {
  const settings = config.nixConf.trim() !== '' || config.builders !== null || config.githubToken !== null;
  if (config.daemon === 'own' || settings || ports.cache !== undefined || config.nixVersion !== null) return null;
  const found = await findNix(config.environment, null, context);
  if (found === null) return null;
  const nix: NixInstallation = { bin: found.bin, version: found.version, env: {} };
  // Not in the scratch directory: if build users could not read it, the probe would mistake that for a sandbox.
  const directory = await mkdtemp('/tmp/nix-ferry-probe-');
  try {
    await chmod(directory, 0o755);
    await mkdir(join(directory, 'client'));
    await writeFile(join(directory, 'outside'), 'outside\n');
    const check = config.builds ? proveSandbox : checkStore;
    await check(localSystem(), { directory }, new Nix(context, nix), context);
    return { nix, found };
  } catch (error) {
    context.log.debug(`The machine's own Nix is not suitable as it is: ${explain(error)}`);
    return null;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
