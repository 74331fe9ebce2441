import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { deploy } from '../../../src/deploy/index.ts';
import type { Mode } from '../../../src/deploy/outcome.ts';
import { exec } from '../../../src/exec.ts';
import { Nix } from '../../../src/nix/index.ts';
import {
  buildSystems,
  configuration,
  context,
  deployment,
  deployOne,
  localNix,
  recorder,
} from '../support/deploy-fixture.ts';
import { generateKey, type Key, startSystemdTarget, type Target, until } from '../support/target.ts';

let nix: Nix;
let key: Key;
let web: Target;
let systems: Record<string, string>;

beforeAll(async () => {
  key = await generateKey('deploy');
  [nix, web] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
  systems = await buildSystems(nix);
});
afterAll(() => web?.stop());

const toplevel = (name: string): string => systems[name] ?? `no system ${name}`;
const config = (mode: Mode, more = {}) => configuration(mode, key.private, web.knownHosts, more);
const go = (mode: Mode, name: string, more = {}) => deployOne(nix, config(mode), deployment(web, toplevel(name), more));

/** Everything that a deployment can leave on a target. */
async function stateOf(target: Target): Promise<Record<string, unknown>> {
  const listing = (path: string): Promise<string> =>
    target.says('sh', '-c', 'find "$0" -mindepth 1 2>/dev/null | sort; :', path);
  return {
    current: await target.currentSystem(),
    profile: await target.profile(),
    generations: [...(await target.generations())],
    roots: await listing('/nix/var/nix/gcroots/nix-ferry'),
    runs: (await listing('/run/nix-ferry')).split('\n').filter(path => path !== '' && !/\/(lock|holder)$/.test(path)),
    units: await target.says('sh', '-c', 'systemctl list-units --all --plain --no-legend "nix-ferry-*"'),
    worker: (await target.unit('worker.service')).MainPID,
    boot: await target.says(
      'sh',
      '-c',
      'cat /boot/loader/loader.conf 2>/dev/null; ls /boot/loader/entries 2>/dev/null; :',
    ),
  };
}

/** Whether the slow activation script runs. */
const begun = (target: Target) => target.says('sh', '-c', 'grep -x begun /run/nix-ferry/*/log');

describe('a target that has never been deployed to', () => {
  test('dry-activate reports the units and changes nothing', async () => {
    const before = await stateOf(web);
    const outcome = await go('dry-activate', 'one');
    expect(outcome).toMatchObject({ outcome: 'planned', mode: 'dry-activate', before: null, after: null });
    expect(await stateOf(web)).toEqual(before);
  });

  test('switch activates, then sets profile and boot loader', async () => {
    const outcome = await go('switch', 'one');
    expect(outcome).toMatchObject({ outcome: 'deployed', before: null, after: toplevel('one') });
    expect(outcome.units.start).toContain('worker.service');
    expect(await web.unit('worker.service')).toMatchObject({ ActiveState: 'active' });
    const state = await stateOf(web);
    expect(state).toMatchObject({
      current: toplevel('one'),
      profile: toplevel('one'),
      generations: [[1, toplevel('one')]],
      roots: '',
      runs: [],
      units: '',
    });
    expect(state.boot).toContain('default nixos-generation-1.conf');
  });

  test('the activation ran in its own unit, and the journal has its output', async () => {
    const journal = await web.says('journalctl', '--no-pager', '-o', 'cat', '-u', 'nix-ferry-*');
    expect(journal).toContain('activating the configuration...');
    expect(journal).toContain('result=finished');
  });

  test('the same system again: nothing to do, no generation, no copy', async () => {
    const before = await stateOf(web);
    const recorded = recorder();
    const outcome = await deployOne(nix, config('switch'), deployment(web, toplevel('one')), context(recorded));
    expect(outcome).toMatchObject({ outcome: 'unchanged', before: toplevel('one'), after: toplevel('one') });
    expect(recorded.events.map(({ text }) => text)).not.toContain('copying the closure');
    expect(await stateOf(web)).toEqual(before);
  });
});

describe('a target on the first system', () => {
  let before: Record<string, unknown>;
  beforeEach(async () => {
    await go('switch', 'one');
    before = await stateOf(web);
    expect(before).toMatchObject({ current: toplevel('one'), profile: toplevel('one') });
  });

  test('dry-activate names what would restart, and changes nothing', async () => {
    const outcome = await go('dry-activate', 'two');
    expect(outcome.outcome).toBe('planned');
    expect([...outcome.units.stop, ...outcome.units.restart]).toContain('worker.service');
    expect(await stateOf(web)).toEqual(before);
  });

  test('test runs the new system and does not change profile and boot loader', async () => {
    expect(await go('test', 'two')).toMatchObject({
      outcome: 'deployed',
      before: toplevel('one'),
      after: toplevel('two'),
    });
    const { current, profile, generations, boot, roots } = await stateOf(web);
    expect({ current, profile, generations, boot, roots }).toEqual({
      ...{ current: toplevel('two'), profile: toplevel('one'), roots: '' },
      ...{ generations: before.generations, boot: before.boot },
    });
    // Back to the system of the profile, for the tests that follow.
    expect(await go('switch', 'one')).toMatchObject({ outcome: 'deployed' });
  });

  test('boot sets profile and boot loader and does not change the running system', async () => {
    expect(await go('boot', 'two')).toMatchObject({ outcome: 'deployed', after: toplevel('one') });
    const state = await stateOf(web);
    expect(state).toMatchObject({ current: toplevel('one'), profile: toplevel('two'), worker: before.worker });
    const number = Math.max(...(await web.generations()).keys());
    expect(state.boot).toContain(`default nixos-generation-${number}.conf`);
  });

  test('a failing pre-switch check: refused with its output, and the profile is unchanged', async () => {
    const outcome = await go('switch', 'refused');
    expect(outcome).toMatchObject({ outcome: 'refused', before: toplevel('one'), after: toplevel('one') });
    expect(outcome.message).toContain('this system does not want to run here');
    expect(await stateOf(web)).toEqual(before);
  });

  test('a failed activation is rolled back: profile, generations and units are as before', async () => {
    const outcome = await go('switch', 'failingActivation');
    expect(outcome).toMatchObject({ outcome: 'rolled-back', before: toplevel('one'), after: toplevel('one') });
    expect(outcome.message).toContain('The activation script failed: broken.');
    const { worker, ...state } = await stateOf(web);
    const { worker: _, ...wanted } = before;
    expect(state).toEqual(wanted);
    expect((await web.unit('worker.service')).Environment).toContain('GENERATION=one');
    expect(worker).not.toBe('0');
  });

  test('a failing boot loader is rolled back: no generation is left over', async () => {
    const outcome = await go('switch', 'failingBootLoader');
    expect(outcome).toMatchObject({ outcome: 'rolled-back', before: toplevel('one'), after: toplevel('one') });
    expect(outcome.message).toContain('no space left on /boot');
    const { worker: _, ...state } = await stateOf(web);
    const { worker: __, ...wanted } = before;
    expect(state).toEqual(wanted);
  });

  test('boot with a failing boot loader: rolled back, everything as before', async () => {
    const outcome = await go('boot', 'failingBootLoader');
    expect(outcome).toMatchObject({ outcome: 'rolled-back', after: toplevel('one') });
    expect(outcome.message).toContain('The boot loader could not be installed: no space left on /boot.');
    expect(await stateOf(web)).toEqual(before);
  });

  test('a failing unit: degraded, but the system is switched', async () => {
    const outcome = await go('switch', 'failingUnit');
    expect(outcome).toMatchObject({ outcome: 'degraded', after: toplevel('failingUnit') });
    expect(outcome.units.failed).toContain('broken.service');
    // As `systemctl status` prints it.
    expect(outcome.log).toMatch(/broken.service[\s\S]*status=1\/FAILURE/);
    expect(outcome.message).toContain('broken.service');
    expect(await stateOf(web)).toMatchObject({ current: toplevel('failingUnit'), profile: toplevel('failingUnit') });
  });

  test('a different init interface: the next boot starts it, and a reboot is requested', async () => {
    const outcome = await go('switch', 'otherInit');
    expect(outcome).toMatchObject({ outcome: 'needs-reboot', after: toplevel('one') });
    expect(await stateOf(web)).toMatchObject({
      current: toplevel('one'),
      profile: toplevel('otherInit'),
      worker: before.worker,
    });
  });

  test("switch-to-configuration's own lock is held: refused, and the message says so", async () => {
    const holder = spawn(
      'nsenter',
      web.machine.enter(['flock', '/run/nixos/switch-to-configuration.lock', 'sleep', '300']),
    );
    try {
      await until(() => web.says('sh', '-c', '! flock -n /run/nixos/switch-to-configuration.lock true'), 'the lock');
      const outcome = await go('switch', 'two');
      expect(outcome).toMatchObject({ outcome: 'refused', after: toplevel('one') });
      expect(outcome.message).toContain('Another switch-to-configuration is running on the target');
      expect(await stateOf(web)).toEqual(before);
    } finally {
      await web.says('pkill', '-f', 'sleep 300').catch(() => '');
      holder.kill();
    }
  });

  test('two runs at once: the second one waits, and is refused, since it was planned for another system', async () => {
    const first = go('switch', 'slow');
    await until(() => begun(web), 'the first run');
    const second = await go('switch', 'two');
    expect(second).toMatchObject({ outcome: 'refused', after: toplevel('slow') });
    expect(second.message).toBe(
      `The machine runs ${toplevel('slow')} now, and this run was planned for ${toplevel('one')}. Nothing was changed.`,
    );
    expect(await first).toMatchObject({ outcome: 'deployed', after: toplevel('slow') });
  });

  test('a run that may not wait as long as another one takes: refused, and its message says who has the lock', async () => {
    const first = deployOne(
      nix,
      config('switch', { who: 'acme/fleet run 1 by jo' }),
      deployment(web, toplevel('slow')),
    );
    await until(() => begun(web), 'the first run');
    const second = await deployOne(nix, config('switch', { lockTimeout: 1 }), deployment(web, toplevel('two')));
    expect(second.outcome).toBe('refused');
    expect(second.message).toMatch(
      /^Another activation is in progress: acme\/fleet run 1 by jo, since \d{4}-.*Z\. Run again when it has ended\./,
    );
    expect(await first).toMatchObject({ outcome: 'deployed', after: toplevel('slow') });
  });

  test('two dry runs at once wait for each other', async () => {
    const asked = await Promise.all(['two', 'slow', 'failingUnit'].map(name => go('dry-activate', name)));
    expect(asked.map(({ outcome }) => outcome)).toEqual(['planned', 'planned', 'planned']);
    expect(await stateOf(web)).toEqual(before);
  });

  test('cancelled while activating: the run sees it through', async () => {
    const cancelled = new AbortController();
    const recorded = recorder();
    const wanted = deployment(web, toplevel('slow'));
    const running = deployOne(nix, config('switch'), wanted, context(recorded, undefined, cancelled.signal));
    await until(() => begun(web), 'the activation');
    cancelled.abort();
    expect(await running).toMatchObject({ outcome: 'deployed', after: toplevel('slow') });
    expect(await stateOf(web)).toMatchObject({ profile: toplevel('slow'), runs: [], roots: '' });
  });

  test('cancelled while it waits for another run: refused, and the other one is completed', async () => {
    const first = go('switch', 'slow');
    await until(() => begun(web), 'the first run');
    const cancelled = new AbortController();
    const recorded = recorder();
    const wanted = deployment(web, toplevel('two'));
    const second = deployOne(nix, config('switch'), wanted, context(recorded, undefined, cancelled.signal));
    await until(
      () => web.says('grep', '-r', 'waiting for another', '/run/nix-ferry', '--include=log'),
      'the second run',
    );
    cancelled.abort();
    expect(await second).toMatchObject({
      outcome: 'refused',
      message: 'Rejected: cancelled. Nothing was changed.',
    });
    expect(await first).toMatchObject({ outcome: 'deployed', after: toplevel('slow') });
  });

  test('the link is cut in the middle of the activation: it continues, and the run reconnects and reads the result', async () => {
    const running = go('switch', 'slow');
    await until(() => begun(web), 'the activation');
    await web.machine.cutLink();
    // Longer than ssh needs to give up a dead connection.
    await new Promise(resolve => setTimeout(resolve, 35_000));
    expect(await web.currentSystem()).toBe(toplevel('slow'));
    await web.machine.restoreLink();
    const outcome = await running;
    expect(outcome).toMatchObject({ outcome: 'deployed', before: toplevel('one'), after: toplevel('slow') });
    expect(outcome.units.start.concat(outcome.units.restart)).toContain('worker.service');
    expect(await stateOf(web)).toMatchObject({ profile: toplevel('slow'), runs: [], roots: '' });
  });

  test('sshd is restarted in the middle of the activation: nothing is lost', async () => {
    const running = go('switch', 'slow');
    await until(() => begun(web), 'the activation');
    await web.says('sh', '-c', 'systemctl stop ssh.service; pkill sshd; sleep 1; systemctl start ssh.service');
    expect(await running).toMatchObject({ outcome: 'deployed', after: toplevel('slow') });
  });

  test('the activation is killed on the target: the target goes back, and the next run works', async () => {
    const running = go('switch', 'slower');
    await until(() => begun(web), 'the activation');
    await web.says('sh', '-c', 'systemctl kill --signal=KILL "nix-ferry-*.service"');
    const outcome = await running;
    expect(outcome).toMatchObject({ outcome: 'rolled-back', after: toplevel('one') });
    expect(outcome.message).toContain('The supervisor was killed in phase activate');
    expect(await go('switch', 'two')).toMatchObject({ outcome: 'deployed', after: toplevel('two') });
    expect(await stateOf(web)).toMatchObject({ roots: '', runs: [] });
  });
});

describe('the deployer', () => {
  test('the key is in no file and no argument list, and the agent is gone afterwards', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'scratch-'));
    const lines = key.private.split('\n').filter(line => line.length > 20 && !line.startsWith('--'));
    let agents = 0;
    let found = '';
    const look = (): void => {
      for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          // Other tests have agents of their own.
          if (words.startsWith('ssh-agent') && words.includes(scratch)) agents++;
          if (lines.some(line => words.includes(line))) found += words;
        } catch {
          // It has ended.
        }
      }
      for (const entry of readdirSync(scratch, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
        if (lines.some(line => text.includes(line))) found += join(entry.parentPath, entry.name);
      }
    };
    const recorded = recorder();
    const watch = setInterval(look, 50);
    await deployOne(nix, config('switch'), deployment(web, toplevel('one')), context(recorded, scratch));
    clearInterval(watch);
    expect(agents).toBeGreaterThan(0);
    expect(found).toBe('');
    expect(readdirSync(scratch)).toEqual([]);
    expect(recorded.secrets.join('\n')).toContain(lines[0]);
    agents = 0;
    look();
    expect(agents).toBe(0);
  });

  test('a scratch directory with a long path and spaces works', async () => {
    const scratch = join(mkdtempSync(join(tmpdir(), 'long ')), 'a very long name of a directory 100% '.repeat(4));
    const outcome = await deployOne(
      nix,
      config('switch'),
      deployment(web, toplevel('two')),
      context(recorder(), scratch),
    );
    expect(outcome.outcome).toBe('deployed');
  });

  test('an archive works as well as the store', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'archive-'));
    await nix.run('nix', ['copy', '--to', `file://${directory}?compression=zstd`, toplevel('one')]);
    // An empty store: what arrives can only come from the archive.
    const { installation } = nix;
    const empty = { NIX_REMOTE: `local?root=${mkdtempSync(join(tmpdir(), 'store-'))}` };
    const other = new Nix(
      { exec, environment: process.env },
      { ...installation, env: { ...installation.env, ...empty } },
    );
    await deployOne(nix, config('switch'), deployment(web, toplevel('two')));
    const outcome = await deployOne(
      other,
      config('switch'),
      deployment(web, toplevel('one'), { closure: { from: 'archive', directory } }),
    );
    expect(outcome.message).toBe('Runs and boots the new system.');
    expect(outcome).toMatchObject({ outcome: 'deployed', after: toplevel('one') });
  });

  test('a build-only host, a host without a target, and mode none are skipped, and say why', async () => {
    const wanted = [
      deployment(web, toplevel('two'), { host: 'a', buildOnly: true }),
      deployment(web, toplevel('two'), { host: 'b', target: null }),
    ];
    const outcomes = await deploy(wanted, config('switch'), nix, context(recorder()));
    expect(outcomes.map(({ host, outcome, message }) => [host, outcome, message])).toEqual([
      ['a', 'skipped', 'The source says that this host is only built.'],
      ['b', 'skipped', 'It has no target.'],
    ]);
    expect(await go('none', 'two')).toMatchObject({ outcome: 'skipped', message: 'The mode is `none`.' });
  });
});
