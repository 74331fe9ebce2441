import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Context } from '../../src/context.ts';
import { startAgent } from '../../src/deploy/agent.ts';
import { type Exec, exec } from '../../src/exec.ts';

test('an agent is gone when its end is awaited, even one that does not react to signals', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'agent-'));
  const key = join(directory, 'key');
  await exec('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key]);
  const agent = await startAgent(readFileSync(key, 'utf8'), directory, {
    exec,
    environment: process.env,
  } as unknown as Context);
  try {
    expect(agent.publicKey).toBe(readFileSync(`${key}.pub`, 'utf8').trim());
    // It stays where it is for any signal but SIGKILL.
    process.kill(agent.pid, 'SIGSTOP');
    await agent.end();
    const command = `/proc/${agent.pid}/cmdline`;
    expect(existsSync(command) ? readFileSync(command, 'utf8') : '').toBe('');
  } finally {
    try {
      process.kill(agent.pid, 'SIGKILL');
    } catch {
      // It is gone.
    }
    rmSync(directory, { recursive: true });
  }
});

test('an agent that does not start is an error after a while', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'agent-'));
  writeFileSync(join(directory, 'ssh-agent'), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
  const env = { PATH: `${directory}:${process.env.PATH}` };
  const run: Exec = (command, args, options) => exec(command, args, { ...options, env });
  const context = { exec: run, environment: env } as unknown as Context;
  try {
    const error = await startAgent('a key', directory, context, 500).catch(error => error);
    expect([error.failure, error.message]).toEqual([
      { kind: 'timeout', milliseconds: 500 },
      'ssh-agent timed out after 0.5 s',
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
