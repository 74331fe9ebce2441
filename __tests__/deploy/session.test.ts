import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Context } from '../../src/context.ts';
import { endLeftSession, openSession } from '../../src/deploy/session.ts';
import { type Exec, exec } from '../../src/exec.ts';

test('a machine without OpenSSH: one error says what to install, and nothing is left behind', async () => {
  const silent = (): void => undefined;
  const scratch = mkdtempSync(join(tmpdir(), 'session-'));
  const nothing: Exec = (command, args, options) => exec(command, args, { ...options, env: { PATH: '/none' } });
  const context: Context = {
    exec: nothing,
    query: nothing,
    log: { debug: silent, info: silent, notice: silent, warning: silent, error: silent, secret: silent },
    progress: silent,
    signal: new AbortController().signal,
    scratch,
    environment: process.env,
  };
  for (const [key, program] of [
    ['a key', 'ssh-agent'],
    [null, 'ssh'],
  ] as const) {
    const target = {
      ...{ address: '192.0.2.7', port: null, user: 'root' },
      ...{
        privilegeEscalation: [],
        sshOptions: [],
        sshOptionsFrom: 'targets' as const,
        substituteOnDestination: false,
      },
    };
    const aliased = [{ alias: 'target-0', host: 'web', target }];
    await expect(openSession(aliased, key, 'x', context)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(`\`${program}\` is not installed on this machine`),
      cure: expect.stringContaining('openssh-client'),
    });
  }
  expect(readdirSync(scratch)).toEqual([]);
  rmdirSync(scratch);
});

test('after a run that left nothing behind, post has nothing to do', async () => {
  await expect(endLeftSession(join(tmpdir(), 'none-such'), exec)).resolves.toBeUndefined();
});
