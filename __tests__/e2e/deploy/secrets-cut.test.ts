import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import { repository } from '../support/machine.ts';

// Replaces secrets, and is cut before each of its steps: each secret is whole at any time, and after the next run, or the next
// start of the machine, either all of them are new or all of them are old.

const parts = readdirSync(join(repository, 'target/activation')).filter(name => name !== 'main.sh');
const self = parts.map(name => readFileSync(join(repository, 'target/activation', name), 'utf8')).join('');
const driver = readFileSync(join(import.meta.dirname, '../support/fixtures/cut-secrets.sh'), 'utf8');

type Kind = 'activation' | 'verb';
interface Shell {
  words: string[];
  /** The only folder with programs; null: those of the runner. */
  programs: string | null;
}

const old: Record<string, string> = { one: 'the old one', two: 'the old two' };
const next: Record<string, string> = {
  one: 'the new one',
  two: 'the new two',
  three: 'three',
  'made/here/four': 'four',
};

const digests = { old: `${'0'.repeat(32)} ${'1'.repeat(64)}`, next: `${'2'.repeat(32)} ${'3'.repeat(64)}` };
/** Of a secret of another run. */
const other = `${digests.old} - /var/lib/keys/another one `;
const places = (base: string, of: Record<string, string>): string[] =>
  Object.keys(of).map(name => join(base, 'place', name));

/** A machine before its secrets are replaced: two change, two are new, one of these in a new directory. */
function machine(): string {
  const base = mkdtempSync(join(tmpdir(), 'cut-'));
  for (const name of ['place', 'records', 'runs/a', 'runs/a.secrets']) mkdirSync(join(base, name), { recursive: true });
  for (const [name, text] of Object.entries(old)) writeFileSync(join(base, 'place', name), text, { mode: 0o400 });
  writeFileSync(join(base, 'records/activating.json'), '{}\n');
  const kept = [...places(base, old).map(place => `${digests.old} - ${place}`), other];
  writeFileSync(join(base, 'records/secrets'), `${kept.join('\n')}\n`);
  writeFileSync(join(base, 'log'), '');
  const { username } = userInfo();
  const group = spawnSync('id', ['-gn'], { encoding: 'utf8' }).stdout.trim();
  for (const [index, [name, content]] of Object.entries(next).entries()) {
    const when = index % 2 === 0 ? 'pre' : 'post';
    const fields = { name, destination: join(base, 'place', name), user: username, group, mode: '0440', when };
    for (const [field, text] of Object.entries({
      ...fields,
      mkdirs: 'true',
      action: '',
      content,
      probe: '',
      digest: digests.next,
    })) {
      writeFileSync(join(base, `runs/a.secrets/${index + 1}.${field}`), text);
    }
  }
  return base;
}

/** @returns whether it was cut, which it is not if it has fewer steps. */
function run(shell: Shell, base: string, what: string, cut: number, kind: Kind): boolean {
  writeFileSync(join(base, 'steps'), '0\n');
  const words = ['--wait', ...shell.words, '-c', driver, 'driver', base, what, String(cut), kind];
  const env = { self, PATH: shell.programs ?? process.env.PATH ?? '' };
  const { status, signal, stderr } = spawnSync('/usr/bin/setsid', words, { encoding: 'utf8', env });
  const wasCut = signal === 'SIGKILL' || status === 137;
  expect({ wasCut, status: wasCut ? 0 : status, stderr: wasCut ? '' : stderr }).toEqual({
    wasCut,
    status: 0,
    stderr: '',
  });
  return wasCut;
}

function secrets(base: string): Record<string, string> {
  const files = Object.keys(next).filter(name => existsSync(join(base, 'place', name)));
  return Object.fromEntries(files.map(name => [name, readFileSync(join(base, 'place', name), 'utf8')]));
}

function expectEachWhole(base: string): void {
  const found = secrets(base);
  for (const [name, text] of Object.entries(found)) {
    expect([old[name], next[name]]).toContain(text);
    const mode = (statSync(join(base, 'place', name)).mode & 0o777).toString(8);
    expect([name, text, mode]).toEqual([name, text, text === old[name] ? '400' : '440']);
  }
  for (const name of Object.keys(old)) expect(found).toHaveProperty(name);
}

function expectNothingLeft(base: string, wanted: Record<string, string>): void {
  const files = readdirSync(join(base, 'place'), { recursive: true, withFileTypes: true });
  const left = files.flatMap(each => (each.isFile() ? [join(each.parentPath, each.name)] : []));
  expect(left.sort()).toEqual(
    Object.keys(wanted)
      .map(name => join(base, 'place', name))
      .sort(),
  );
  if (!('made/here/four' in wanted)) expect(existsSync(join(base, 'place/made'))).toBe(false);
  // What ends with `.new` is written anew by whoever needs it.
  expect(readdirSync(join(base, 'records')).filter(name => !name.endsWith('.new'))).toEqual(['secrets']);
  const lines = readFileSync(join(base, 'records/secrets'), 'utf8').trimEnd().split('\n');
  const of = 'three' in wanted ? digests.next : digests.old;
  const expected = [...places(base, wanted).map(place => `${of} ${place}`), other.replace(' - ', ' ').trimEnd()];
  // Without the boot.
  expect(lines.map(line => line.replace(/^(\S+ \S+) \S+/, '$1')).sort()).toEqual(expected.sort());
}

/** Cuts it before its first step, then before its second one, and so on. @returns the number of steps. */
function forEachCut(work: (cut: number, base: string) => boolean): number {
  for (let cut = 1; ; cut++) {
    const base = machine();
    const wasCut = work(cut, base);
    rmSync(base, { recursive: true });
    if (!wasCut) return cut - 1;
  }
}

let shells: Record<string, Shell>;
beforeAll(async () => {
  const [bootstrap, programs] = ['bootstrap-', 'programs-'].map(name => mkdtempSync(join(tmpdir(), name))) as [
    string,
    string,
  ];
  await exec(join(repository, 'examples/embedded/fetch-bootstrap.sh'), [bootstrap, 'x86_64-linux']);
  const busybox = join(bootstrap, 'x86_64-linux/busybox');
  const { stdout } = await exec(busybox, ['--list']);
  for (const name of stdout.trim().split('\n')) symlinkSync(busybox, join(programs, name));
  shells = {
    dash: { words: ['/usr/bin/dash'], programs: null },
    bash: { words: ['/bin/bash', '--posix'], programs: null },
    busybox: { words: [busybox, 'sh'], programs },
  };
});

const kinds: Kind[] = ['activation', 'verb'];
describe.each(['dash', 'bash', 'busybox'])('with %s', name => {
  test.each(kinds)(
    '%s: cut before any step, then settled',
    kind => {
      const shell = shells[name] as Shell;
      const steps = forEachCut((cut, base) => {
        const wasCut = run(shell, base, 'replace', cut, kind);
        expectEachWhole(base);
        const committed = existsSync(join(base, 'committed'));
        run(shell, base, 'recover', 0, kind);
        const found = secrets(base);
        if (kind === 'activation') expect([cut, found]).toEqual([cut, committed ? next : old]);
        else
          expect([cut, [JSON.stringify(old), JSON.stringify(next)]]).toEqual([
            cut,
            expect.arrayContaining([JSON.stringify(found)]),
          ]);
        expectNothingLeft(base, found);
        return wasCut;
      });
      expect(steps).toBeGreaterThan(40);
    },
    300_000,
  );

  test('cut while they are taken back, and in what settles that', () => {
    const shell = shells[name] as Shell;
    const settled = (cut: number, base: string): void => {
      expectEachWhole(base);
      run(shell, base, 'recover', 0, 'activation');
      expect([cut, secrets(base)]).toEqual([cut, old]);
      expectNothingLeft(base, old);
    };
    const steps = forEachCut((cut, base) => {
      run(shell, base, 'place', 0, 'activation');
      expect(secrets(base)).toEqual(next);
      const wasCut = run(shell, base, 'recover', cut, 'activation');
      settled(cut, base);
      return wasCut;
    });
    expect(steps).toBeGreaterThan(8);
  }, 300_000);
});
