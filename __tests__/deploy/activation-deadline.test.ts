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

type Ssh = (alias: string, command: string, options?: ExecOptions) => Promise<unknown>;

/** A clock that only moves when it is advanced, so that no test waits. */
function stoppedClock(): { advance(milliseconds: number): void } {
  let now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now);
  return {
    advance: milliseconds => {
      now += milliseconds;
    },
  };
}

const jobOver = (ssh: Ssh): Job =>
  ({
    deployment: {
      host: 'web',
      toplevel: '/nix/store/a',
      origin: {},
      target: null,
      healthChecks: { cmd: [], http: [] },
      preDeployChecks: { cmd: [], http: [] },
      secrets: [],
    },
    config: { lockTimeout: 1, activationTimeout: 600, healthTimeout: 1, confirmTimeout: 1 },
    remote: { alias: 'web', host: 'web', target: { user: 'root', address: 'web' }, session: { ssh } },
    context: { signal: new AbortController().signal, log: { debug: () => undefined }, progress: () => undefined },
  }) as unknown as Job;

const probe = { current: null, open: null } as Probe;
const cut = (): CommandError => new CommandError(['ssh'], { kind: 'exit', code: 255 }, 'Connection closed');

/** A target that never ends an activation, in hours that pass in no time: no real one can be waited for. */
function endless(): { job: Job; limits: (number | undefined)[]; longest: number } {
  const clock = stoppedClock();
  const limits: (number | undefined)[] = [];
  const job = jobOver(async (_alias, command, { onStdout, timeout } = {}) => {
    limits.push(timeout);
    if (limits.length > 20) throw new Error('nobody ends this');
    clock.advance(45 * 60 * 1000);
    onStdout?.(command.includes(' run ') ? 'phase=activate' : ': still at work');
    throw cut();
  });
  return { job, limits, longest: longestActivation(job) };
}

test('a target that reports progress for ever is left after the sum of its time limits', async () => {
  const { job, limits, longest } = endless();
  const { end } = await activate(job, probe, 'run');
  expect(end).toMatchObject({
    kind: 'unreachable',
    error: { failure: { kind: 'timeout' }, stderr: expect.stringContaining(`within ${longest} s`) },
  });
  // Each connection has the time that is left.
  expect(limits).toEqual([longest * 1000, longest * 1000 - 2_700_000, longest * 1000 - 5_400_000]);
});

test('a machine that went down without closing the connection, and had gone back when ssh noticed', async () => {
  const clock = stoppedClock();
  const job = jobOver(async (_alias, command, { onStdout } = {}) => {
    if (command.includes(' run ')) {
      onStdout?.('phase=reboot');
      clock.advance(40_000);
      throw cut();
    }
    if (command.includes(' resume ')) {
      for (const line of ['phase=confirm', 'result=went-back', 'why=not confirmed within 35 s', 'end=status'])
        onStdout?.(line);
    }
  });
  expect(await activate(job, probe, 'id')).toMatchObject({
    end: { kind: 'status' },
    obstacle: 'the connection was lost',
  });
});
