import { afterEach, expect, jest, test } from '@jest/globals';
import { activate } from '../../src/deploy/activation.ts';
import type { Job } from '../../src/deploy/job.ts';
import type { Probe } from '../../src/deploy/probe.ts';
import { longestActivation } from '../../src/deploy/spec.ts';
import { CommandError } from '../../src/errors.ts';
import type { ExecOptions } from '../../src/exec.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

/** A target that never ends an activation, in hours that pass in no time: no real one can be waited for. */
function endless(): { job: Job; limits: (number | undefined)[]; longest: number } {
  let now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now);
  const limits: (number | undefined)[] = [];
  const ssh = async (_alias: string, command: string, { onStdout, timeout }: ExecOptions = {}): Promise<never> => {
    limits.push(timeout);
    if (limits.length > 20) throw new Error('nobody ends this');
    now += 45 * 60 * 1000;
    onStdout?.(command.includes(' run ') ? 'phase=activate' : ': still at work');
    throw new CommandError(['ssh'], { kind: 'exit', code: 255 }, 'Connection closed');
  };
  const job = {
    deployment: {
      host: 'web',
      toplevel: '/nix/store/a',
      secrets: [],
      origin: {},
      target: null,
      healthChecks: { cmd: [], http: [] },
      preDeployChecks: { cmd: [], http: [] },
    },
    config: {
      lockTimeout: 1,
      activationTimeout: 600,
      healthTimeout: 1,
      confirmTimeout: 1,
      reboot: 'never',
      rebootTimeout: 0,
    },
    remote: { alias: 'web', host: 'web', target: { user: 'root', address: 'web' }, session: { ssh } },
    context: { signal: new AbortController().signal, log: { debug: () => undefined }, progress: () => undefined },
  } as unknown as Job;
  return { job, limits, longest: longestActivation(job) };
}

test('a target that reports progress for ever is left after the sum of its time limits', async () => {
  const { job, limits, longest } = endless();
  const { end } = await activate(job, { current: null, open: null } as Probe, 'run-1');
  expect(end).toMatchObject({
    kind: 'unreachable',
    error: { failure: { kind: 'timeout' }, stderr: expect.stringContaining(`within ${longest} s`) },
  });
  // Each connection has the time that is left.
  expect(limits).toEqual([longest * 1000, longest * 1000 - 2_700_000, longest * 1000 - 5_400_000]);
});
