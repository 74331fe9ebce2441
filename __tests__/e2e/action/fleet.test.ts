import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/deploy/outcome.ts';
import { exec } from '../../../src/exec.ts';
import type { ActionResult } from '../support/action.ts';
import { Fleet } from '../support/fleet.ts';
import { root } from '../support/machine.ts';
import type { Target } from '../support/target.ts';

/** The state of a target that a run without changes must not touch. */
async function everything(target: Target) {
  const units = (
    await target.says('sh', '-c', 'systemctl show --property Id,ActiveState,InvocationID "*.service" 2>/dev/null; :')
  )
    .split('\n\n')
    .sort();
  const greeting = await target.says('sh', '-c', 'cat /run/greeting 2>/dev/null; :');
  const etc = await target.says(
    'sh',
    '-c',
    'ls -lR --time-style=full-iso /etc/static/ /run/current-system 2>/dev/null; :',
  );
  const [profile, current, generations] = [
    await target.profile(),
    await target.currentSystem(),
    await target.generations(),
  ];
  return { units: units.filter(unit => !unit.includes('Id=user')), greeting, etc, profile, current, generations };
}

function outcomes(result: ActionResult): Record<string, Outcome> {
  return JSON.parse(result.outputs.outcomes ?? '{}') as Record<string, Outcome>;
}

interface ArchiveOutput {
  host: string;
  artifact: string;
  id: number;
  digest: string;
  toplevel: string;
  bytes: number;
}

describe('a fleet of two architectures, by workflow steps', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await Fleet.start();
  });
  afterAll(() => fleet.stop());

  let first: ActionResult;

  test('`mode: switch` on a runner with neither Nix nor qemu switches both targets', async () => {
    first = await fleet.step({ mode: 'switch', archive: 'full' });
    expect(first.main.annotations.filter(({ level }) => level === 'error')).toEqual([]);
    expect(first.main.code).toBe(0);
    expect(first.post?.code).toBe(0);
    expect(first.leaks).toEqual([]);
    expect(JSON.parse(first.outputs.hosts ?? '')).toEqual(['router', 'server']);
    expect(outcomes(first)).toMatchObject({ server: { outcome: 'deployed' }, router: { outcome: 'deployed' } });
    expect(first.outputs.changed).toBe('true');

    const archives = JSON.parse(first.outputs.archives ?? '') as ArchiveOutput[];
    for (const [host, target] of [
      ['server', fleet.server],
      ['router', fleet.router],
    ] as const) {
      const toplevel = archives.find(archive => archive.host === host)?.toplevel;
      expect(toplevel).toMatch(/^\/nix\/store\/[0-9a-z]{32}-nixos-system-/);
      expect(await target.profile()).toBe(toplevel);
      expect(await target.currentSystem()).toBe(toplevel);
      expect([...(await target.generations()).keys()]).toEqual([1]);
    }
  });

  test('the units of the new generation run, on both architectures', async () => {
    expect(await fleet.router.says('uname', '-m')).toBe('aarch64');
    const store = await fleet.router.says('readlink', '-f', '/run/current-system/sw/bin/hello');
    expect(store).toMatch(/^\/nix\/store\//);
    expect(await fleet.server.unit('greeting.service')).toMatchObject({ ActiveState: 'active', SubState: 'exited' });
    expect(await fleet.server.unit('static-web-server.service')).toMatchObject({
      ActiveState: 'active',
      SubState: 'running',
    });
    expect(await fleet.server.says('cat', '/run/greeting')).toMatch(/Welcome to server\.\nx86_64$/);
  });

  test('the log has a group for each stage, and none is left open', () => {
    const groups = first.main.log.split('\n').filter(line => /^::(end)?group::/.test(line));
    const titles = [
      'Set up Nix',
      'Evaluate the hosts',
      'Build the closures',
      'Write the archives',
      'Deploy to the targets',
    ];
    expect(groups).toEqual(titles.flatMap(title => [`::group::${title}`, '::endgroup::']));
  });

  test('the summary names both hosts with their systems and sizes', () => {
    for (const word of ['server', 'router', 'x86', 'aarch64', 'deployed']) expect(first.summary).toContain(word);
    expect(first.summary).toMatch(/MiB/);
  });

  test('the summary says what was emulated, and has both hosts in its timeline', () => {
    expect(first.summary).toMatch(/\*\*Builds\*\*: \d+ derivations built \(\d+ emulated\)/);
    for (const host of ['server', 'router']) {
      expect(first.summary).toMatch(new RegExp(`^ {4}[\\d.]+ .* · ${host} :\\d+, \\d+$`, 'm'));
    }
  });

  test('each artifact, downloaded and unzipped, can be copied into an empty store, with the same toplevel', async () => {
    const archives = JSON.parse(first.outputs.archives ?? '') as ArchiveOutput[];
    expect(archives.map(({ host }) => host).sort()).toEqual(['router', 'server']);
    expect(fleet.results.artifacts).toHaveLength(2);
    const nix = (...args: string[]) =>
      exec(join('/opt/nix/2.26/bin/nix'), [...args, '--extra-experimental-features', 'nix-command'], {
        env: { PATH: process.env.PATH, HOME: '/root' },
      });
    for (const { artifact, id, toplevel } of archives) {
      const stored = fleet.results.artifact(artifact);
      expect(stored.id).toBe(id);
      const directory = mkdtempSync(join(tmpdir(), 'artifact-'));
      writeFileSync(join(directory, 'archive.zip'), stored.zip);
      await exec('unzip', ['-q', join(directory, 'archive.zip'), '-d', join(directory, 'archive')]);
      const empty = `local?root=${join(directory, 'store')}`;
      await nix('copy', '--from', `file://${join(directory, 'archive')}`, '--to', empty, '--no-check-sigs', toplevel);
      const target = toplevel.includes('router') ? fleet.router : fleet.server;
      const ours = await nix('hash', 'path', '--base32', '--type', 'sha256', join(directory, 'store', toplevel));
      const theirs = await target.says('nix', 'hash', 'path', '--base32', '--type', 'sha256', toplevel);
      expect(ours.stdout.trim()).toBe(theirs);
    }
  });

  test('a second run changes nothing', async () => {
    const before = await Promise.all(fleet.targets.map(everything));
    const again = await fleet.step({ mode: 'switch', archive: 'none' });
    expect(again.main.code).toBe(0);
    expect(outcomes(again)).toMatchObject({ server: { outcome: 'unchanged' }, router: { outcome: 'unchanged' } });
    expect(again.outputs.changed).toBe('false');
    expect(await Promise.all(fleet.targets.map(everything))).toEqual(before);
  });

  test('`mode: dry-activate` of a pull request says which units would restart, and changes nothing', async () => {
    await fleet.change('modules/greeting.nix', text => text.replace('Welcome to', 'Good morning from'));
    const before = await Promise.all(fleet.targets.map(everything));
    const asked = await fleet.step({ mode: 'dry-activate', archive: 'none' }, { event: { name: 'pull_request' } });
    expect(asked.main.annotations.filter(({ level }) => level === 'error')).toEqual([]);
    expect(asked.main.code).toBe(0);
    expect(asked.leaks).toEqual([]);
    const { server, router } = outcomes(asked);
    expect(server).toMatchObject({ outcome: 'planned' });
    expect([...(server?.units.restart ?? []), ...(server?.units.stop ?? []), ...(server?.units.start ?? [])]).toContain(
      'greeting.service',
    );
    expect(router).toMatchObject({ outcome: 'planned' });
    expect(asked.summary).toContain('greeting');
    expect(asked.outputs.changed).toBe('false');
    expect(await Promise.all(fleet.targets.map(everything))).toEqual(before);
  });

  test('if a target is switched off, the other is deployed, the job fails, and the summary says which failed and why', async () => {
    await fleet.router.machine.cutLink();
    const run = await fleet.step({ mode: 'switch', archive: 'none', 'max-failures': '1' });
    await fleet.router.machine.restoreLink();
    expect(run.main.code).toBe(1);
    expect(run.leaks).toEqual([]);
    const { server, router } = outcomes(run);
    expect(server).toMatchObject({ outcome: 'deployed' });
    expect(router).toMatchObject({ outcome: 'unreachable' });
    const errors = run.main.annotations.filter(({ level }) => level === 'error');
    expect(errors.map(({ message }) => message).join('\n')).toContain('router');
    expect(errors.map(({ message }) => message).join('\n')).not.toContain('server:');
    expect(run.summary).toContain('unreachable');
    expect(run.summary).toContain(router?.message.slice(0, 20).split('`')[0] ?? 'message');

    expect(await fleet.server.says('cat', '/run/greeting')).toContain('Good morning from server');
    expect([...(await fleet.server.generations()).keys()]).toEqual([1, 2]);
    expect([...(await fleet.router.generations()).keys()]).toEqual([1]);
  });

  test('the steps leave nothing on the runner', async () => {
    const { stdout } = await fleet.runner.run([
      'sh',
      '-c',
      'ls -d /home/runner/work/_temp/nix-ferry-* /run/nix-ferry-* 2>/dev/null; ps -C nix,nix-daemon,ssh-agent,ssh -o pid=,args=; :',
    ]);
    expect(stdout).toBe('');
    expect((await fleet.runner.run(['ls', '/proc/sys/fs/binfmt_misc'])).stdout).toBe('register\nstatus\n');
  });
});

test('the roots of the testbed are read-only', async () => {
  await expect(exec('touch', [join(root('runner'), 'x')])).rejects.toThrow('Read-only file system');
});
