import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explain } from './errors.ts';
import { type Config, inputsOfRunner, readInputs } from './inputs.ts';
import { inputsOfStep, type Step } from './step.ts';

/** The key of the step's state that names its scratch directory. */
export const scratchState = 'scratch';

/** The main part of a step: reads the inputs, runs the pipeline, reports, sets the outputs. */
export async function main(step: Step, env: NodeJS.ProcessEnv): Promise<void> {
  let config: Config;
  try {
    config = readInputs(inputsOfRunner(env), name => `input '${name}'`, inputsOfStep[step]);
  } catch (error) {
    // Written by hand, since loading the toolkit takes longer than all up to here.
    process.stdout.write(`::error::${explain(error).replaceAll('%', '%25').replaceAll('\n', '%0A')}\n`);
    process.exitCode = 1;
    return;
  }
  // No child shall inherit a key.
  for (const name of Object.keys(env)) if (name.startsWith('INPUT_')) delete env[name];

  const [core, { openContext, portsOf }, { run }, { report }, { outputsOf }] = await Promise.all([
    import('@actions/core'),
    import('./runner.ts'),
    import('./pipeline.ts'),
    import('./report/index.ts'),
    import('./outputs.ts'),
  ]);
  const scratch = await mkdtemp(join(env.RUNNER_TEMP ?? tmpdir(), 'nix-ferry-'));
  core.saveState(scratchState, scratch);
  const { context, close } = openContext(core, scratch);
  try {
    const done = await run(step, config, portsOf(core, config, env, context), context);
    close();
    for (const [name, value] of Object.entries(outputsOf(done))) core.setOutput(name, value);
    const { ok } = await report(done, context.log, async markdown => {
      if (env.GITHUB_STEP_SUMMARY !== undefined) await core.summary.addRaw(markdown).write();
    });
    if (!ok) process.exitCode = 1;
  } finally {
    close();
    await rm(scratch, { recursive: true, force: true });
  }
}
