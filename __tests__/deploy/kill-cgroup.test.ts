import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

// The kernel writes 0 into cgroup.procs for a process that is being reaped while the file is read, and `kill` takes 0 for the
// caller's own process group. That moment cannot be made, so the file is one of ours here.

test('a process that is just ending does not make the supervisor kill itself', () => {
  const cgroup = mkdtempSync(join(tmpdir(), 'cgroup-'));
  writeFileSync(join(cgroup, 'cgroup.procs'), '0\n');
  // In a session of its own, so that only its group is hit.
  const script = '. target/activation/switch.sh && kill_cgroup "$0" && echo alive';
  const { signal, stdout } = spawnSync('setsid', ['--wait', 'sh', '-c', script, cgroup], { encoding: 'utf8' });
  expect({ signal, stdout }).toEqual({ signal: null, stdout: 'alive\n' });
});
