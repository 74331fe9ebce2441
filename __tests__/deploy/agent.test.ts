import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Context } from '../../src/context.ts';
import { startAgent } from '../../src/deploy/agent.ts';
import { exec } from '../../src/exec.ts';

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
