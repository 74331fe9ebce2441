import type { Context } from './context.ts';
import { explain, UserError } from './errors.ts';
import type { Differing } from './preview/index.ts';
import type { Previewed } from './report/previewed.ts';

/** What is known of a deployment before it begins. */
export interface Wanted {
  /** The host and the system that would be deployed to it. */
  toplevels: readonly (readonly [host: string, toplevel: string])[];
  /** Whether a system that nobody has previewed is refused. */
  required: boolean;
}

/**
 * Compares what would be deployed with what the preview of its pull request has shown.
 *
 * @param find asks GitHub; null: there is nobody to ask.
 * @param onFound is called with what was shown and the hosts that differ from it, before anything is refused.
 * @returns what was shown; null if that is not known.
 * @throws UserError if a preview is required and a host has none of its system.
 */
export async function checkPreviewed(
  { toplevels, required }: Wanted,
  find: (() => Promise<Previewed>) | null,
  { log }: Pick<Context, 'log'>,
  onFound: (found: Previewed, differing: Differing[]) => Promise<void> = async () => undefined,
): Promise<Previewed | null> {
  const where = { input: 'require-preview' };
  if (find === null) {
    if (!required) return null;
    throw new UserError(
      'Whether the systems were previewed is not known: that needs a workflow for pushes, and a token.',
      {
        where,
        cure: 'Set `github-token` to a token with the permission `pull-requests: read`, or remove `require-preview`.',
      },
    );
  }
  const found = await find().catch((error: unknown) => {
    const message = `What the pull request has previewed could not be read: ${explain(error)}`;
    if (required)
      throw new UserError(message, { where, cure: 'The token needs the permission `pull-requests: read`.' });
    log.warning(message);
    return null;
  });
  const shown = (host: string): string[] => found?.toplevels[host] ?? [];
  if (found !== null) await onFound(found, differingFrom(found, toplevels));
  const unseen = toplevels.filter(([host, toplevel]) => !shown(host).includes(toplevel)).map(([host]) => host);
  if (!required || unseen.length === 0) return found;
  const pull = found?.pull ?? null;
  throw new UserError(`Nobody has previewed what would be deployed to ${unseen.join(', ')}. Nothing was deployed.`, {
    where,
    cure:
      pull === null
        ? 'Merge the change as a pull request whose workflow has the mode `preview` and `comment: true`.'
        : `The preview in #${pull} shows other systems, as after another change of the branch that it was merged into: preview the change in a new pull request.`,
  });
}

/** The hosts that were previewed with other systems. The newest of these counts. */
function differingFrom({ toplevels: shown }: Previewed, toplevels: Wanted['toplevels']): Differing[] {
  return toplevels.flatMap(([host, built]) => {
    const previewed = shown[host]?.at(-1);
    return previewed === undefined || shown[host]?.includes(built) ? [] : [{ host, previewed, built }];
  });
}
