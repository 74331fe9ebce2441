import { type Builder, buildBase, type Compared } from './base.ts';
import type { Built } from './build/built.ts';
import type { DeployConfig } from './deploy/deployment.ts';
import { CommandError, explain, UserError } from './errors.ts';
import type { Config } from './inputs.ts';
import { compareWithBase, needsBase, type Preview, preview, withoutTargets } from './preview/index.ts';

/**
 * The results of the preview stage: each host is compared with its target or with the base, as the input `compare` says.
 *
 * @throws UserError as `preview`, and if the input `base` names no revision.
 */
export async function previewAll(
  built: readonly Built[],
  compared: Compared,
  config: Config & { deploy: DeployConfig },
  builder: Builder,
): Promise<Preview[]> {
  const { compare } = config.preview;
  const asked = compare === 'base' ? withoutTargets(built) : await preview(built, config.deploy, builder.context);
  const hosts = asked.filter(each => needsBase(each, compare)).map(({ host }) => host);
  if (hosts.length === 0) return asked;
  try {
    const base = await buildBase({ ...compared, hosts }, config, builder);
    return base === null ? asked : await compareWithBase(asked, built, base, compare);
  } catch (error) {
    if (isWrongInput(error) || builder.context.signal.aborted) throw error;
    const message = `The base cannot be compared: ${explain(error)}`;
    builder.context.log.warning(message);
    // With the reason why the target was not asked.
    return asked.map(each => {
      if (each.known || !needsBase(each, compare)) return each;
      return { ...each, message: each.why === 'no-base' ? message : `${each.message} ${message}` };
    });
  }
}

/** A base that is broken must not fail the pull request that repairs it. A wrong input, or a defect of ours, must. */
function isWrongInput(error: unknown): boolean {
  return error instanceof UserError ? error.where?.input === 'base' : !(error instanceof CommandError);
}
