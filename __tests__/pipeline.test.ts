import { expect, test } from '@jest/globals';
import type { Context } from '../src/context.ts';
import { readInputs } from '../src/inputs.ts';
import { type Ports, run } from '../src/pipeline.ts';

test('missing host keys are an error before anything is set up or evaluated', async () => {
  const errors: string[] = [];
  // Neither ports nor context provide anything: whatever is called besides the log fails the test.
  const context = {
    log: { error: (message: string) => errors.push(message), debug: () => undefined },
    signal: new AbortController().signal,
  } as unknown as Context;
  const ports = { deployer: { ownSsh: false } } as unknown as Ports;
  const config = readInputs({ mode: 'switch', targets: 'web: root@web.example' }, name => name);
  const done = await run('deploy', config, ports, context);
  expect(done.timings).toEqual({});
  expect(done.error?.message).toContain('No host keys are pinned');
  expect(done.error?.where).toEqual({ input: 'known-hosts' });
  expect(errors).toHaveLength(1);
});
