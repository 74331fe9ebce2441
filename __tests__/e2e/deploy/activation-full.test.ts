import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { expectNextRun, expectNothingLeft, expectWhole, held, holdAt, other } from '../support/activation-disasters.ts';
import { Activations } from '../support/activation-driver.ts';
import { localNix } from '../support/deploy-fixture.ts';
import { armed, confirmed, done, phasesOf } from '../support/kill-table.ts';
import { generateKey, startSystemdTarget, type Target } from '../support/target.ts';

// A disk that gets full at the start of a phase: of the kill table, the rows `disk full` and `/boot full`.

/** What each disk holds: the records, the profile and its roots; and the boot loader. */
const disks = {
  'disk full': ['/var/lib/nix-ferry', '/nix/var/nix/profiles', '/nix/var/nix/gcroots'],
  '/boot full': ['/boot'],
} as const;
type Disk = keyof typeof disks;

let web: Target;
let on: Activations;

const sh = (script: string, ...args: string[]): Promise<string> => web.says('sh', '-euc', script, 'sh', ...args);

beforeAll(async () => {
  const key = await generateKey('deploy');
  const [nix, target] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
  web = target;
  on = await Activations.start(web, nix, key);
  expect((await on.deploy('switch', 'one')).values.result).toBe('finished');
  for (const [disk, paths] of Object.entries(disks)) {
    const mount = `
      disk="/disks/$1"; shift
      mkdir -p "$disk" && mount -t tmpfs -o size=4m,nr_inodes=1000 disk "$disk"
      for path; do
        mkdir -p "$disk/$path" && cp -a "$path/." "$disk/$path/" && mount --bind "$disk/$path" "$path"
      done`;
    await sh(mount, disk.replaceAll('/', ''), ...paths);
  }
}, 120_000);
afterEach(async () => {
  on.openGates();
  await sh('rm -rf /disks/*/fill');
});
afterAll(() => web?.stop());

/** Neither a byte nor a file more. */
const fill = (disk: Disk): Promise<string> =>
  sh(
    `mkdir "/disks/$1/fill" && cd "/disks/$1/fill"
     number=0; while (: >$number) 2>/dev/null; do number=$((number + 1)); done
     cat /dev/zero >0 2>/dev/null || :`,
    disk.replaceAll('/', ''),
  );

const table = (Object.keys(disks) as Disk[]).flatMap(disk => phasesOf(disk).map(phase => [phase, disk] as const));

describe('an activation', () => {
  test.each(table)(
    'at the start of `%s`: %s',
    async (phase, disk) => {
      const before = await on.state();
      const next = other(on, before.current);
      const old = other(on, on.toplevel(next));
      expectWhole(on, before, old);

      const id = on.id();
      const release = await holdAt(on, phase);
      const running = on.run(id, 'switch', next, { confirm: '30', nonce: id });
      const confirming = async (): Promise<void> => {
        await on.inPhase(id, 'confirm');
        expect((await on.call('confirm', id, id)).values.confirmed).toBe('yes');
      };
      if (confirmed.includes(phase)) await confirming();
      await held(on, id, phase);
      await fill(disk);
      await release();
      // A full disk of the records ends it before it asks for that.
      if (disk === '/boot full' && !confirmed.includes(phase)) await confirming();
      const { values } = await running;
      const whole = done.includes(phase) ? next : old;
      const changed = disk === '/boot full' || (armed.includes(phase) && phase !== 'disarm');
      const path = on.toplevel(whole);
      expect(values).toMatchObject({
        ...{ end: 'status', by: 'supervisor', current: path, profile: path, boot: path },
        result: whole === next ? 'finished' : changed ? 'went-back' : 'refused',
      });
      await on.call('finish', id);
      const after = await on.state();
      expectWhole(on, after, whole);
      if (whole === old) expect(after).toEqual({ ...before, worker: after.worker });
      await sh('rm -rf /disks/*/fill');
      const open = whole === next && disk === 'disk full';
      if (!open) await expectNothingLeft(on);
      const following = await expectNextRun(on, after, other(on, after.current), id);
      // What could not be recorded is completed by the next run.
      expect(following.values.settled).toBe(open ? 'finished' : '');
    },
    120_000,
  );
});
