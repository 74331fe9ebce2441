import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Artifact } from './archive/archive.ts';
import type { Context } from './context.ts';
import { secretVariablesIn } from './environment.ts';
import { explain } from './errors.ts';
import type { PullRequest } from './event.ts';
import { type Config, inputsOfRunner, readInputs } from './inputs.ts';
import type { Run } from './report/index.ts';
import { scratchParent } from './scratch.ts';
import { inputsOfStep, type Step } from './step.ts';

/** The key of the step's state that names its scratch directory. */
export const scratchState = 'scratch';

/**
 * The main part of a step: reads the inputs, runs the pipeline, reports, sets the outputs.
 *
 * @param given the environment with the inputs.
 * @param env without them.
 */
export async function main(
  step: Step,
  given: Readonly<Record<string, string | undefined>>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  let config: Config;
  try {
    config = readInputs(inputsOfRunner(given), name => `input '${name}'`, inputsOfStep[step]);
  } catch (error) {
    // Written by hand: loading the toolkit takes longer than everything until here.
    process.stdout.write(
      `::error::${explain(error).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')}\n`,
    );
    process.exitCode = 1;
    return;
  }

  const [core, { openContext, portsOf }, { run }, { report }, { outputsOf }, { publishPreview }] = await Promise.all([
    import('@actions/core'),
    import('./runner.ts'),
    import('./pipeline.ts'),
    import('./report/index.ts'),
    import('./outputs.ts'),
    import('./preview-artifact.ts'),
  ]);
  const scratch = await mkdtemp(join(scratchParent(env.RUNNER_TEMP, tmpdir()), 'nix-ferry-'));
  core.saveState(scratchState, scratch);
  const { context, close } = openContext(core, scratch, env);
  try {
    const ports = portsOf(core, config.fetch, env, secretVariablesIn(given), context);
    const { pull } = ports;
    const done = await run(step, config, ports, context);
    close();
    for (const [name, value] of Object.entries(outputsOf(done))) core.setOutput(name, value);
    const { ok } = await report(done, context.log, async markdown => {
      if (env.GITHUB_STEP_SUMMARY !== undefined) await core.summary.addRaw(markdown).write();
    });
    if (!ok) process.exitCode = 1;
    const subject = { pull: pull?.number ?? null, commit: pull?.head ?? null };
    const { artifacts } = ports.archives;
    const artifact = await publishPreview(done, subject, env.GITHUB_JOB ?? 'job', artifacts, context);
    const { comment: comments, githubToken: token } = config.report;
    if (comments && token !== null) await comment(done, { pull, artifact, token }, env, context);
  } finally {
    close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Keeps the run's summary as a comment on its pull request, or appends the outcome of a deployment to the comments that
 * previewed it. If that fails, it is a warning.
 *
 * @param pull null if the run is for none.
 * @param artifact with the complete data; null: there is none.
 */
async function comment(
  run: Run,
  { pull, artifact, token }: { pull: PullRequest | null; artifact: Artifact | null; token: string },
  env: NodeJS.ProcessEnv,
  context: Context,
): Promise<void> {
  const { appendOutcome, commentText, keepComment, outcomeMarkdown } = await import('./report/index.ts');
  const repository = env.GITHUB_REPOSITORY ?? '';
  const address = `${env.GITHUB_SERVER_URL ?? 'https://github.com'}/${repository}/actions/runs/${env.GITHUB_RUN_ID}`;
  const place = { api: env.GITHUB_API_URL ?? 'https://api.github.com', repository, token };
  try {
    if (pull === null) {
      if (run.previewed === null) return;
      return await appendOutcome(outcomeMarkdown(run, address), run.previewed, Number(env.GITHUB_RUN_ID), place);
    }
    const data = artifact === null ? null : `${address}/artifacts/${artifact.id}`;
    await keepComment(commentText(run, { commit: pull.head, run: address, data }), {
      ...place,
      number: pull.number,
      key: `${env.GITHUB_WORKFLOW} / ${env.GITHUB_JOB}`,
    });
  } catch (error) {
    context.log.warning(
      `The comment could not be written: ${explain(error)}. Writing it needs the permission \`pull-requests: write\`, which runs for forks do not have.`,
    );
  }
}
