import { rm } from 'node:fs/promises';
import * as core from '@actions/core';
import { endLeftSession } from './deploy/index.ts';
import { scratchState } from './main.ts';
import { openContext } from './runner.ts';
import { stateKey, teardown } from './setup/index.ts';

/** Removes what a step left behind, at the end of the job, whether it succeeded or not. Warns, and never fails the job. */
export async function post(environment: NodeJS.ProcessEnv): Promise<void> {
  const scratch = core.getState(scratchState);
  const { context } = openContext(core, scratch, environment);
  if (scratch !== '') await endLeftSession(scratch, context.exec);
  await teardown(core.getState(stateKey), context);
  if (scratch !== '') await rm(scratch, { recursive: true, force: true });
}
