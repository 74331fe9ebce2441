import { createHash } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readAnswer } from '../../../src/preview/answer.ts';
import { describeBuilt } from '../../../src/preview/built-system.ts';
import { describeScript } from '../../../src/preview/index.ts';
import { comparePackages } from '../../../src/preview/packages.ts';
import { PreviewFixture, stranger, viewer } from '../support/preview-fixture.ts';
import { switchTo } from '../support/systems.ts';

let fixture: PreviewFixture;
const names = ['before', 'after', 'asking', 'broken', 'container', 'otherInterface'] as const;
let systems: Record<(typeof names)[number], string>;

beforeAll(async () => {
  fixture = await PreviewFixture.start('web');
  systems = await fixture.build('preview.nix', names);
  await fixture.give(systems.before);
  // The user who asks may read them, which must not matter.
  const decrypt = `mkdir /run/decrypted && cd /run/decrypted && printf '%s\\n' '[Service]' 'Environment=LOGIN=hunter3' | tee app.conf > login.conf
chmod 0400 * && chown ${viewer} *`;
  await fixture.target.says('sh', '-c', decrypt);
  const { code, lines } = await switchTo(fixture.target, systems.before, 'test');
  if (code !== 0) throw new Error(lines.join('\n'));
});
afterAll(() => fixture.stop());

/** The whole answer of the target, asked as a user without rights. */
async function described(shell = 'sh'): Promise<string> {
  const words = [shell, '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', 'describe'];
  return (await fixture.target.machine.run(words, { input: describeScript(), user: viewer })).stdout;
}

test('the target describes its system as the runner reads it from the store', async () => {
  const machine = readAnswer(await described());
  const closure = await fixture.nix.closure([systems.before]);
  const { fstab, restartsByActivation, ...built } = await describeBuilt(systems.before, closure);
  expect(machine?.system.closure?.length).toBe(closure.length);
  const sorted = (paths = machine?.system.closure ?? []): unknown =>
    [...paths].sort((a, b) => (a.path < b.path ? -1 : 1));
  const wants = [...(machine?.system.wants ?? [])].sort();
  expect({ ...machine?.system, closure: sorted(), wants }).toEqual({ ...built, closure: sorted(built.closure ?? []) });
  expect(machine?.fstab).toBe(fstab);
  expect(restartsByActivation).toBe(false);
  expect(Object.keys(built.units)).toContain('worker.service');
  expect(built.etc['plain.conf']?.text).toBe('one\n');
  expect(built.etc['app-secret']?.hash).toMatch(/^[0-9a-f]{64}$/);
});

test('files of the generation that lead out of the store are not read', async () => {
  const said = JSON.stringify(readAnswer(await described()));
  expect(said).toContain('app.conf');
  expect(said).not.toContain('hunter3');
  const content = createHash('sha256').update('[Service]\nEnvironment=LOGIN=hunter3\n').digest('hex');
  expect(said).not.toContain(content);
  const shown = JSON.stringify(await fixture.preview(systems.after));
  expect(shown).toContain('"name":"app.conf"');
  expect(shown).not.toMatch(new RegExp(`hunter3|${content}`));
});

test.each(['dash', 'bash', 'busybox sh'])('%s gives the same answer', async shell => {
  const script = `${shell === 'busybox sh' ? '/run/current-system/sw/bin/' : ''}${shell}`;
  const words = [...script.split(' '), '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', 'describe'];
  const { stdout } = await fixture.target.machine.run(words, { input: describeScript(), user: viewer });
  expect(readAnswer(stdout)?.system).toEqual(readAnswer(await described())?.system);
});

test('a key that may only describe answers as its forced command, and does nothing else', async () => {
  const { target } = fixture;
  await target.machine.run(['sh', '-c', 'cat > /usr/local/bin/describe && chmod 755 /usr/local/bin/describe'], {
    input: `#!/bin/sh\nset -- describe\n${describeScript()}`,
  });
  await target.says(
    ...['sh', '-c', 'printf \'restrict,command="/usr/local/bin/describe" %s\\n\' "$(cat "$1")" > "$2"', 'sh'],
    ...['/etc/ssh/authorized_keys', '/etc/ssh/restricted_keys'],
  );
  await target.says(
    'sh',
    '-c',
    `printf 'Match User ${viewer}\\n AuthorizedKeysFile /etc/ssh/restricted_keys\\n' >> /etc/ssh/sshd_config`,
  );
  await target.says('systemctl', 'reload', 'ssh.service');
  const result = await fixture.preview(systems.after);
  await target.says('sh', '-c', "sed -i '/^Match User/,$d' /etc/ssh/sshd_config && systemctl reload ssh.service");
  expect(result).toMatchObject({ known: true, comparedWith: 'target' });
});

test('another verb is refused', async () => {
  const words = ['sh', '-c', 'self=$(cat) && eval "$self"', 'nix-ferry', 'run'];
  const { stdout } = await fixture.target.machine.run(words, { input: describeScript(), user: viewer, allow: [1] });
  expect(() => readAnswer(stdout)).toThrow('this key may only describe');
});

describe('the preview of a change of every kind', () => {
  test('is complete, for a user without rights', async () => {
    const sudo = await fixture.target.machine.run(['sudo', '-n', 'true'], { user: viewer, allow: [1] });
    expect(sudo.code).toBe(1);
    const result = await fixture.preview(systems.after);
    if (!result.known) throw new Error(result.message);
    const { change } = result;
    expect([change.before, change.after]).toEqual([systems.before, systems.after]);
    expect(change.units).toMatchObject({
      ...{ stop: ['worker.service'], start: ['worker.service'], restart: [], reload: ['proxy.service'] },
      ...{ fresh: ['extra.service'], statesKnown: true, unknown: [], error: null },
    });
    expect(change.packages?.updated).toEqual([
      expect.objectContaining({ name: 'linux', from: ['6.12'], to: ['6.13'] }),
      expect.objectContaining({ name: 'multi', from: [], to: ['2.0'] }),
      expect.objectContaining({ name: 'tool', from: ['1.2'], to: ['1.3'] }),
    ]);
    expect(change.packages?.rebuilt.names).toEqual(['same']);
    expect(change.packages?.added).toEqual([expect.objectContaining({ name: 'fresh', versions: ['0.1'] })]);
    expect(change.packages?.removed).toEqual([expect.objectContaining({ name: 'stale', versions: ['7.0'] })]);
    expect(change.reboot).toEqual([
      { part: 'kernel', text: 'kernel 6.12 → 6.13', pending: false },
      { part: 'kernel parameters', text: 'kernel parameters +quiet', pending: false },
      { part: 'switch inhibitor', text: 'dbus dbus-1 → broker', pending: false },
      { part: 'boot loader', text: 'boot loader GRUB → systemd-boot', pending: false },
    ]);
    expect(change.firewall).toEqual({ opened: ['tcp 443'], closed: ['udp 53'], turned: null });
    expect([change.users, change.groups]).toEqual([
      { added: ['eve'], removed: ['bob'] },
      { added: ['games'], removed: [] },
    ]);
    const etc = Object.fromEntries(change.etc.map(each => [each.name, each]));
    expect(etc['plain.conf']).toMatchObject({ kind: 'changed', rebuilt: false, diff: '-one\n+two\n' });
    expect(etc['app-secret']).toMatchObject({ kind: 'changed', diff: null });
    expect(etc['gone.conf']).toMatchObject({ kind: 'removed', diff: '-gone\n' });
    expect(etc['new.conf']).toMatchObject({ kind: 'added', diff: '+new\n' });
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });

  test('nothing but what a login leaves was written on the target, and no path was copied', async () => {
    const { target } = fixture;
    // What sshd, systemd and the journal write for every login.
    const logins =
      '/var/log|/run/systemd|/run/user|/run/log|/run/utmp|/run/udev|/var/lib/systemd|/proc|/sys|/dev|/run/sudo|/tmp/systemd-private';
    const script = `find / -regextype posix-extended -regex '(${logins}).*' -prune -o -printf '%p %y %s %m %U %T@ %C@ %l\\n' | sort`;
    // A login also makes the message of the day. Nix's daemon maps its database for every reader.
    const files = async (): Promise<string[]> =>
      (await target.says('sh', '-c', script))
        .split('\n')
        .filter(line => !/^\/run( |\/motd)|^\/nix\/var\/nix\/db\/db\.sqlite-(shm|wal) /.test(line));
    await fixture.preview(systems.before);
    const before = new Set(await files());
    const known = await fixture.preview(systems.after);
    expect(known.known).toBe(true);
    expect(before.size).toBeGreaterThan(1000);
    expect((await files()).filter(line => !before.has(line))).toEqual([]);
    const { code } = await target.machine.run(['nix-store', '--check-validity', systems.after], { allow: [0, 1] });
    expect(code).toBe(1);
    expect(await target.currentSystem()).toBe(systems.before);
  });
});

test('of a system without a kernel, the other files are read', async () => {
  const { target } = fixture;
  await fixture.give(systems.container);
  await target.says('ln', '-sfn', systems.container, '/run/current-system');
  try {
    const files = readAnswer(await described())?.system.files;
    expect(files).toMatchObject({
      'init-interface-version': 'systemd 2',
      'switch-inhibitors': '{\n  "dbus": "dbus-1"\n}',
    });
  } finally {
    await target.says('ln', '-sfn', systems.before, '/run/current-system');
  }
});

test('another init interface: nothing is switched, as dry-activate says', async () => {
  const result = await fixture.preview(systems.otherInterface);
  if (!result.known) throw new Error(result.message);
  const { units, reboot } = result.change;
  expect(units).toMatchObject({ stop: [], start: [], restart: [], reload: [], kept: [], fresh: [] });
  expect(units.error).toBe('A switch changes no unit, because the init interface changes.');
  expect(reboot).toContainEqual({
    part: 'init interface',
    text: 'init interface systemd 2 → systemd 3',
    pending: false,
  });
  await fixture.give(systems.otherInterface);
  const { code, lines } = await switchTo(fixture.target, systems.otherInterface, 'dry-activate');
  expect(code).toBe(100);
  expect(lines.filter(line => line.startsWith('would '))).toEqual([]);
});

test('no process of it can be root: the answer is the same if the kernel forbids that', async () => {
  const { target } = fixture;
  const free = await fixture.preview(systems.after);
  // no_new_privs: neither the login's shell nor anything that it starts gains rights, by setuid or capabilities of files.
  await target.machine.run(['sh', '-c', 'cat > /usr/local/bin/caged && chmod 755 /usr/local/bin/caged'], {
    input: `#!/bin/sh
[ "\${1-}" = inside ] || exec setpriv --no-new-privs "$0" inside
awk '/^(NoNewPrivs|Uid):/ { printf "%s ", $2 }' /proc/self/status >> /var/tmp/caged
sudo -n true 2>> /var/tmp/caged || :
exec sh -c "$SSH_ORIGINAL_COMMAND"
`,
  });
  const words = `Match User ${viewer}\n ForceCommand /usr/local/bin/caged\n`;
  await target.says('sh', '-c', `printf '${words}' >> /etc/ssh/sshd_config && systemctl reload ssh.service`);
  const caged = await fixture.preview(systems.after);
  await target.says('sh', '-c', "sed -i '/^Match User/,$d' /etc/ssh/sshd_config && systemctl reload ssh.service");
  expect(await target.says('cat', '/var/tmp/caged')).toMatch(/^[1-9]\d* 1 sudo: .*no new privileges/);
  expect(free.known).toBe(true);
  expect(caged).toEqual(free);
});

test('the same system', async () => {
  const result = await fixture.preview(systems.before);
  if (!result.known) throw new Error(result.message);
  const { units, packages, reboot, etc } = result.change;
  expect(units).toMatchObject({ stop: [], start: [], restart: [], reload: [], kept: [], fresh: [] });
  expect([packages?.added, packages?.removed, packages?.updated, packages?.rebuilt.names]).toEqual([[], [], [], []]);
  expect([reboot, etc]).toEqual([[], []]);
});

test('without an answer of Nix, only the packages are unknown', async () => {
  const result = await fixture.preview(systems.after, stranger);
  if (!result.known) throw new Error(result.message);
  const { packages, units, users, firewall, etc } = result.change;
  expect([packages, units.stop]).toEqual([null, ['worker.service']]);
  expect([users?.added, firewall.opened, etc.length > 3]).toEqual([['eve'], ['tcp 443'], true]);
});

test('an activation script that restarts units: it says that it cannot know', async () => {
  const result = await fixture.preview(systems.asking);
  expect(result.known && result.change.units.unknown).toEqual([expect.stringMatching(/activation script may restart/)]);
});

test('a unit file that switch-to-configuration cannot read', async () => {
  const result = await fixture.preview(systems.broken);
  expect(result.known && result.change.units.error).toMatch(/cannot read worker.service: `\]` is missing/);
});

test('packages are those of nix store diff-closures', async () => {
  const { stdout } = await fixture.nix.run('nix', ['store', 'diff-closures', systems.before, systems.after]);
  const theirs = stripVTControlCharacters(stdout)
    .split('\n')
    .flatMap(line => {
      const [, name = '', from = '', to = ''] = /^(\S+): (\S.*?) → (.*?)(?:, [-+].*)?$/.exec(line) ?? [];
      return name === '' || from === 'ε' || to === 'ε' ? [] : [`${name}: ${from} → ${to}`];
    });
  const closures = await Promise.all([systems.before, systems.after].map(path => fixture.nix.closure([path])));
  const [was = [], is = []] = closures.map(infos => infos.map(({ path, narSize }) => ({ path, bytes: narSize })));
  const { added, removed, updated } = comparePackages(was, is);
  const ours = [
    ...updated.map(({ name, from, to }) => `${name}: ${from.join(', ') || '∅'} → ${to.join(', ') || '∅'}`),
    ...added.map(({ name, versions }) => `${name}: ∅ → ${versions.join(', ')}`),
    ...removed.map(({ name, versions }) => `${name}: ${versions.join(', ')} → ∅`),
  ];
  expect(theirs.length).toBeGreaterThan(2);
  expect(ours.sort()).toEqual(theirs.sort());
});

test('a target that is off, and one that does not accept the key', async () => {
  const stranger = await fixture.preview(systems.after, 'nobody-here');
  expect(stranger).toMatchObject({ known: false, why: 'refused' });
  await fixture.target.machine.cutLink();
  try {
    expect(await fixture.preview(systems.after)).toMatchObject({ known: false, why: 'unreachable' });
  } finally {
    await fixture.target.machine.restoreLink();
  }
});
