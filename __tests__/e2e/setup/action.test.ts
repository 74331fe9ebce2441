import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runAction } from '../support/action.ts';
import { Runner } from '../support/runner.ts';

let runner: Runner;
beforeAll(async () => {
  runner = await Runner.start({ name: 'step' });
});
afterAll(() => runner.stop());

const expression = (mark: string): string =>
  `derivation { name = "${mark}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo ${mark} >$out" ]; }`;

test('the step `setup` alone provides Nix to later steps, and removes its settings and registrations afterwards', async () => {
  let built = '';
  const odd = '/home/runner/a folder: temp';
  await runner.run(['mkdir', odd]);
  const token = 'ghs_forThePrivateInputs0123456789';
  const result = await runAction(runner, {
    uses: 'setup',
    inputs: { 'nix-conf': 'substituters =', 'nix-source': '', emulate: 'always', 'github-token': token },
    // A path that neither binfmt_misc nor Nix's settings could take.
    env: { RUNNER_TEMP: odd, TMPDIR: odd },
    secrets: [token],
  });
  if (result.main.code !== 0) throw new Error(result.main.log);
  expect(result.exported.NIX_REMOTE).toMatch(/^unix:\/\/\/run\/nix-ferry-/);
  expect(result.outputs['nix-version-installed']).toMatch(/^\d+\.\d+/);
  expect(result.leaks).toEqual([]);
  expect(result.post?.code).toBe(0);
  const left = await runner.machine.run([
    'sh',
    '-c',
    'ls -d /run/nix-ferry* /proc/sys/fs/binfmt_misc/nix-ferry* 2>/dev/null; pgrep nix-daemon; :',
  ]);
  expect(left.stdout).toBe('');

  const second = await runAction(runner, {
    uses: 'setup',
    inputs: { 'nix-conf': 'substituters =' },
    between: async () => {
      // Like a later step of the job: with the variables that the step exported, which the harness keeps in files.
      const { stdout } = await runner.machine.run(['sh', '-c', 'ls -d /run/nix-ferry-*']);
      const env = { NIX_REMOTE: `unix://${stdout.trim()}/socket`, NIX_CONF_DIR: `${stdout.trim()}/client` };
      built = (
        await runner.run(
          ['nix', 'build', '--print-out-paths', '--no-link', '--impure', '--expr', expression('later')],
          { env },
        )
      ).stdout;
    },
  });
  expect(second.main.code).toBe(0);
  expect(built).toMatch(/^\/nix\/store\/\w{32}-later\n$/);
});
