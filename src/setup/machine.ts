import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { explain } from '../errors.ts';
import type { NixInstallation } from '../nix/index.ts';
import type { SetupConfig, SetupPorts } from './config.ts';
import { type FoundNix, findNix } from './find.ts';
import { proveSandbox } from './probe.ts';
import { localSystem } from './systems.ts';

/**
 * The machine's own Nix, as it is, where it serves: nothing is asked for that it would have to be told, it takes a build,
 * and that build is isolated. Needs no root and changes nothing.
 *
 * @returns null where it does not serve; the log says why.
 */
export async function machineNix(
  config: SetupConfig,
  context: Context,
  ports: SetupPorts,
): Promise<{ nix: NixInstallation; found: FoundNix } | null> {
  const told = config.nixConf.trim() !== '' || config.builders !== null || config.githubToken !== null;
  if (config.daemon === 'own' || told || ports.cache !== undefined || config.nixVersion !== null) return null;
  const found = await findNix(config.environment, null, context);
  if (found === null) return null;
  const nix: NixInstallation = { bin: found.bin, version: found.version, env: {} };
  // Readable by whoever builds, else the probe could not tell a sandbox from a closed door; so not in the scratch.
  const directory = await mkdtemp('/tmp/nix-ferry-probe-');
  try {
    await chmod(directory, 0o755);
    await mkdir(join(directory, 'client'));
    await writeFile(join(directory, 'outside'), 'outside\n');
    await proveSandbox(localSystem(), { directory }, nix, context);
    return { nix, found };
  } catch (error) {
    context.log.debug(`The machine's own Nix is not used as it is: ${explain(error)}`);
    return null;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
