import { UserError } from '../errors.ts';
import { openGitHub, ownerAndRepo } from '../github.ts';
import { trustedEvents } from '../trusted-events.ts';
import type { ArtifactAccess } from './upload.ts';

/** Checks a run before its artifacts are used; see ArtifactStore.checkRun. */
export async function checkRun(
  run: number,
  { api, repository, token, ref }: Pick<ArtifactAccess, 'api' | 'repository' | 'token' | 'ref'>,
): Promise<void> {
  const github = await openGitHub({ api, token: token ?? '' });
  const { data } = await github.rest.actions.getWorkflowRun({ ...ownerAndRepo(repository ?? ''), run_id: run });
  const refuse = (why: string, cure: string): never => {
    throw new UserError(`The archives of run ${run} are refused: ${why}.`, { where: { input: 'from' }, cure });
  };
  const head = data.head_repository?.full_name ?? 'an unknown repository';
  if (head !== repository) refuse(`it ran the code of ${head}`, 'Deploy only what a run of this repository has built.');
  if (!trustedEvents.includes(data.event)) {
    const others = trustedEvents.join(', ');
    refuse(`its event is ${data.event}`, `Deploy the archives of a run whose event is one of ${others}.`);
  }
  if (data.head_branch !== ref) {
    const cure = `Start this workflow on ${data.head_branch}, or give a run of ${ref}.`;
    refuse(`it ran on ${data.head_branch}, and this run is on ${ref}`, cure);
  }
}
