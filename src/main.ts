import { inputsOfRunner, readInputs } from './inputs.ts';
import { inputsOfStep, type Step } from './step.ts';

/** The main part of a step: reads the inputs, runs the pipeline, sets the outputs. */
export async function main(step: Step, env: NodeJS.ProcessEnv): Promise<void> {
  let config: ReturnType<typeof readInputs>;
  try {
    config = readInputs(inputsOfRunner(env), name => `input '${name}'`, inputsOfStep[step]);
  } catch (error) {
    const core = await import('@actions/core');
    core.setFailed(error as Error);
    return;
  }
  console.log(config);
  const cache = await import('@actions/cache');
  console.log(cache);
  const a = await import('@actions/artifact');
  console.log(a);
}
