import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { repository } from '../support/machine.ts';
import { Runner } from '../support/runner.ts';

// Other users of the same machine, who are not allowed to use sudo.

let runner: Runner;
beforeAll(async () => {
  runner = await Runner.start({ nix: '2.26' });
  await runner.machine.run(['useradd', '--user-group', 'neighbour']);
});
afterAll(() => runner.stop());

const run = '/dev/shm/nix-ferry-0123456789abcdef';
const root = (verb: string, ...args: string[]) =>
  runner.machine.run(['sh', join(repository, 'setup/root.sh'), verb, run, ...args], { allow: [0, 1, 64, 75] });
const neighbour = (script: string) => runner.machine.run(['sh', '-c', script], { user: 'neighbour' });
const end = async () => {
  await root('end');
  await runner.machine.run(['sh', '-c', 'rm -rf /dev/shm/nix-ferry-*']);
};

test('a directory that another user planted is not believed: the store is not given away', async () => {
  await runner.machine.run(['chown', '0:0', '/nix/store']);
  await neighbour(
    'mkdir -p /dev/shm/nix-ferry-x/daemon && echo "$(id -u):$(id -g) 777" >/dev/shm/nix-ferry-x/daemon/owner',
  );
  expect((await root('prepare', '1000', '1000')).code).toBe(0);
  await end();
  const { stdout } = await runner.machine.run(['stat', '-c', '%u', '/nix/store']);
  expect(stdout.trim()).toBe('0');
});

test('a directory that another user made under the name of this run is refused', async () => {
  await neighbour(`mkdir -p ${run}/daemon`);
  expect((await root('prepare', '1000', '1000')).code).not.toBe(0);
  expect((await root('end')).code).toBe(64);
  await runner.machine.run(['rm', '-rf', run]);
});

test('a lock that another user holds on the directory of all runs does not stop root', async () => {
  const held = neighbour('exec 9</run && flock 9 && exec 8</dev/shm && flock 8 && sleep 20');
  await new Promise(resolve => setTimeout(resolve, 500));
  const opened = await runner.machine.run(['sh', '-c', '! flock -n /run true && ! flock -n /dev/shm true']);
  expect(opened.code).toBe(0);
  let isHeld = true;
  const ended = held.then(() => {
    isHeld = false;
  });
  expect((await root('users', '1')).code).toBe(0);
  expect(isHeld).toBe(true);
  const lock = await runner.machine.run(['sh', '-c', 'flock /run/nix-ferry.lock true'], {
    user: 'neighbour',
    allow: [0, 1, 66],
  });
  expect(lock.code).not.toBe(0);
  await ended;
});
