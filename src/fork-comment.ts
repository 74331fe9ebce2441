import type { Log } from './context.ts';
import { UserError } from './errors.ts';
import { isCommit } from './event.ts';
import { type GitHub, type GitHubAccess, openGitHub, ownerAndRepo } from './github.ts';
import { explainAnswer, keepComment } from './report/comment.ts';
import { forkCommentText } from './report/comment-text.ts';
import { type PreviewData, previewArtifact, previewFile, readPreviewData } from './report/preview-data.ts';
import { zipEntry } from './report/zip-entry.ts';

/** The most that an artifact and its only file may have, in bytes. */
const largest = { artifact: 10 * 1024 * 1024, file: 64 * 1024 * 1024 };

/** Where the comment is written, and with which token. */
export interface ForkPlace extends GitHubAccess {
  /** `owner/name`. */
  repository: string;
  log: Pick<Log, 'info' | 'notice'>;
}

/** The run that ended, as GitHub describes it; nothing of it is the run's own word, but its branch may have any name. */
interface EndedRun {
  id: number;
  address: string;
  /** The commit of the pull request's branch, its name, and its repository. */
  commit: string;
  branch: string;
  repository: string;
}

/**
 * Writes the comment of a pull request whose run has no token for it, after this run has ended: from the artifact that the run saved,
 * which is checked and rendered here. Nothing of the pull request is run.
 *
 * The code of a fork decides what the artifact has. So it is read within limits, only known values are taken from it, all text
 * is escaped, and the pull request is the one of the run's own head, from GitHub and not from the artifact.
 *
 * @param event the payload of the event `workflow_run`.
 * @throws UserError if the event is another one; Error if the artifact is not acceptable, or says what GitHub answered.
 */
export async function commentForFork(event: Readonly<Record<string, unknown>>, place: ForkPlace): Promise<void> {
  const run = endedRun(event);
  const { log, repository } = place;
  if (run === null) return log.info('The run was not for a pull request: nothing to do.');
  const github = await openGitHub(place);
  try {
    const artifact = await newestPreview(run, repository, github);
    if (artifact === null) return log.notice(`Run ${run.id} saved no preview.`);
    const pulls = await pullsOf(run, repository, github);
    if (pulls.length === 0) {
      return log.notice(`No open pull request has ${run.commit} as its head: it was closed, or has a newer commit.`);
    }
    const data = await readArtifact(artifact, repository, github);
    const number = checked(data, run, pulls);
    const text = forkCommentText(data, {
      ...{ commit: run.commit, run: run.address, data: `${run.address}/artifacts/${artifact}` },
    });
    await keepComment(text, { ...place, number, key: 'fork' });
    log.info(`The comment of #${number} describes ${run.commit}.`);
  } catch (error) {
    throw explainAnswer(error);
  }
}

/** @returns null if the run was not for a pull request. */
function endedRun({ workflow_run }: Readonly<Record<string, unknown>>): EndedRun | null {
  const run = workflow_run as
    | { [key in 'id' | 'event' | 'html_url' | 'head_sha' | 'head_branch']?: unknown }
    | undefined;
  const { head_repository: head } = (workflow_run ?? {}) as { head_repository?: { full_name?: unknown } | null };
  if (typeof run?.id !== 'number') {
    throw new UserError('There is no ended run: this step is for the event `workflow_run`.', {
      cure: 'Copy examples/workflows/fork-comment.yml.',
    });
  }
  if (run.event !== 'pull_request' || !isCommit(run.head_sha)) return null;
  return {
    id: run.id,
    address: String(run.html_url),
    commit: run.head_sha,
    branch: String(run.head_branch),
    repository: String(head?.full_name),
  };
}

/** The id of the newest preview among the run's artifacts; null if it has none. @throws Error if it is too large */
async function newestPreview({ id }: EndedRun, repository: string, github: GitHub): Promise<number | null> {
  const which = { ...ownerAndRepo(repository), run_id: id, per_page: 100 };
  const { data } = await github.rest.actions.listWorkflowRunArtifacts(which);
  const previews = data.artifacts.filter(({ name, expired }) => name.startsWith(previewArtifact) && !expired);
  const newest = previews.sort((a, b) => b.id - a.id)[0];
  if (newest === undefined) return null;
  if (newest.size_in_bytes > largest.artifact) throw tooLarge();
  return newest.id;
}

function tooLarge(): Error {
  return new Error(
    `The artifact of the preview has more than ${largest.artifact} bytes, so no comment is made from it.`,
  );
}

/** The numbers of the open pull requests to this repository whose head is the run's. */
async function pullsOf({ branch, commit, repository: from }: EndedRun, to: string, github: GitHub): Promise<number[]> {
  const head = `${ownerAndRepo(from).owner}:${branch}`;
  const { data } = await github.rest.pulls.list({ ...ownerAndRepo(to), state: 'open', head, per_page: 100 });
  return data
    .filter(pull => pull.head.sha === commit && pull.head.repo?.full_name === from && pull.head.ref === branch)
    .map(({ number }) => number);
}

async function readArtifact(id: number, repository: string, github: GitHub): Promise<PreviewData> {
  const which = { ...ownerAndRepo(repository), artifact_id: id, archive_format: 'zip' };
  const { data } = await github.rest.actions.downloadArtifact(which);
  const zip = Buffer.from(data as ArrayBuffer);
  if (zip.length > largest.artifact) throw tooLarge();
  const text = zipEntry(zip, previewFile, largest.file).toString();
  try {
    return readPreviewData(JSON.parse(text));
  } catch (error) {
    throw new Error(`${previewFile} of the artifact is no preview: ${(error as Error).message}.`, { cause: error });
  }
}

/** The pull request that the artifact is about, which must be one of the run's own head. */
function checked({ pull, commit }: PreviewData, run: EndedRun, pulls: readonly number[]): number {
  if (commit !== run.commit) throw new Error('The artifact describes another commit than its run.');
  if (pull === null || !pulls.includes(pull)) {
    throw new Error(
      `The artifact is for another pull request than those of its run: ${pulls.map(each => `#${each}`)}.`,
    );
  }
  return pull;
}
