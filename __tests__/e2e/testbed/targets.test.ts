import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import { generateKey, type Key, startAarch64Target, startSystemdTarget, type Target } from '../support/target.ts';

let deployKey: Key;
const targets: Target[] = [];

beforeAll(async () => {
  deployKey = await generateKey('deploy');
});
afterAll(() => Promise.all(targets.map(target => target.stop())));

/** ssh with this key and this host key only. */
async function ssh(target: Target, user: string, ...words: string[]): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'ssh-'));
  writeFileSync(join(directory, 'key'), deployKey.private, { mode: 0o600 });
  writeFileSync(join(directory, 'known_hosts'), `${target.knownHosts}\n`);
  const options = [
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    `UserKnownHostsFile=${directory}/known_hosts`,
    'StrictHostKeyChecking=yes',
  ];
  const { stdout } = await exec('ssh', [
    '-i',
    join(directory, 'key'),
    ...options.flatMap(o => ['-o', o]),
    `${user}@${target.address}`,
    ...words,
  ]);
  return stdout.trim();
}

describe('the systemd target', () => {
  let target: Target;
  beforeAll(async () => {
    target = await startSystemdTarget({ name: 'web', deployKey });
    targets.push(target);
  });

  test('has systemd as PID 1, and it runs units', async () => {
    expect(await target.says('cat', '/proc/1/comm')).toBe('systemd');
    expect(await target.says('systemd-run', '--wait', '--pipe', '--quiet', 'uname', '-m')).toBe('x86_64');
    expect(await target.unit('nix-daemon.socket')).toMatchObject({ ActiveState: 'active' });
    expect(await target.says('systemctl', '--failed', '--plain', '--no-legend')).toBe('');
  });

  test('lets root and the sudoer in with the deploy key, under its own host key', async () => {
    expect(await ssh(target, 'root', 'id', '-un')).toBe('root');
    expect(await ssh(target, 'deploy', 'sudo', '-n', 'id', '-un')).toBe('root');
  });

  test('has no system profile and no generation yet', async () => {
    expect(await target.profile()).toBeNull();
    expect(await target.generations()).toEqual(new Map());
  });
});

describe('the aarch64 target', () => {
  let target: Target;
  beforeAll(async () => {
    target = await startAarch64Target({ name: 'pi', deployKey });
    targets.push(target);
  });

  test('reports aarch64 over SSH', async () => {
    expect(await ssh(target, 'root', 'uname', '-m')).toBe('aarch64');
    expect(await ssh(target, 'deploy', 'sudo', '-n', 'nix-store', '--version')).toContain('2.26');
  });
});
