import { explain, UserError } from './errors.ts';
import { eventOf } from './event.ts';
import { inputsOfRunner, readInputs } from './inputs.ts';
import { inputsOfComment } from './step.ts';

/**
 * The program of the step that comments on the pull request of a fork: reads the input and the event, and sets the exit code.
 *
 * @param given the environment with the inputs.
 * @param env without them.
 */
export async function comment(
  given: Readonly<Record<string, string | undefined>>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const core = await import('@actions/core');
  try {
    const { report } = readInputs(inputsOfRunner(given), name => `input '${name}'`, inputsOfComment);
    const token = report.githubToken;
    if (token === null) {
      throw new UserError('The comment needs `github-token`.', {
        where: { input: 'github-token' },
        // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of GitHub's, for the user to write
        cure: 'Write `github-token: ${{ github.token }}` and give the job `actions: read` and `pull-requests: write`.',
      });
    }
    const { commentForFork } = await import('./fork-comment.ts');
    await commentForFork(eventOf(env), {
      api: env.GITHUB_API_URL ?? 'https://api.github.com',
      repository: env.GITHUB_REPOSITORY ?? '',
      token,
      log: { info: core.info, notice: core.notice },
    });
  } catch (error) {
    core.setFailed(explain(error));
  }
}
