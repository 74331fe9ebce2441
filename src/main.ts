import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from './context.ts';
import { secretVariablesIn } from './environment.ts';
import { explain } from './errors.ts';
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

  const [core, { openContext, portsOf }, { run }, { report }, { outputsOf }] = await Promise.all([
    import('@actions/core'),
    import('./runner.ts'),
    import('./pipeline.ts'),
    import('./report/index.ts'),
    import('./outputs.ts'),
  ]);
  const scratch = await mkdtemp(join(scratchParent(env.RUNNER_TEMP, tmpdir()), 'nix-ferry-'));
  core.saveState(scratchState, scratch);
  const { context, close } = openContext(core, scratch, env);
  try {
    const done = await run(step, config, portsOf(core, config.fetch, env, secretVariablesIn(given), context), context);
    close();
    for (const [name, value] of Object.entries(outputsOf(done))) core.setOutput(name, value);
    const { ok } = await report(done, context.log, async markdown => {
      if (env.GITHUB_STEP_SUMMARY !== undefined) await core.summary.addRaw(markdown).write();
    });
    if (!ok) process.exitCode = 1;
    if (config.report.comment) await comment(done, config.report.githubToken, env, context);
  } finally {
    close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Keeps the run's summary as a comment on its pull request. If that fails, it is a warning. */
async function comment(run: Run, token: string | null, env: NodeJS.ProcessEnv, context: Context): Promise<void> {
  const event = JSON.parse(await readFile(env.GITHUB_EVENT_PATH ?? '/dev/null', 'utf8').catch(() => '{}')) as {
    pull_request?: { number: number };
  };
  if (event.pull_request === undefined || token === null) return;
  const { commentLimit, keepComment, summary } = await import('./report/index.ts');
  try {
    await keepComment(summary(run, commentLimit), {
      api: env.GITHUB_API_URL ?? 'https://api.github.com',
      repository: env.GITHUB_REPOSITORY ?? '',
      number: event.pull_request.number,
      token,
      key: `${env.GITHUB_WORKFLOW} / ${env.GITHUB_JOB}`,
    });
  } catch (error) {
    context.log.warning(
      `The comment could not be written: ${explain(error)}. Writing it needs the permission \`pull-requests: write\`, which runs for forks do not have.`,
    );
  }
}
