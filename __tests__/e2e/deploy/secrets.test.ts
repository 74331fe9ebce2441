import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DeployConfig } from '../../../src/deploy/index.ts';
import type { Mode, Outcome } from '../../../src/deploy/outcome.ts';
import type { Nix } from '../../../src/nix/index.ts';
import type { Secret } from '../../../src/plan/fleet.ts';
import { SecretText } from '../../../src/plan/secret-text.ts';
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
const folder = mkdtempSync(join(tmpdir(), 'secrets-'));

beforeAll(async () => {
  key = await generateKey('deploy');
  [nix, web] = await Promise.all([localNix(), startSystemdTarget({ name: 'web', deployKey: key })]);
  systems = await buildSystems(nix, 'x86_64-linux', 'secret-systems.nix');
  expect(await go('one', [])).toMatchObject({ outcome: 'deployed' });
});
afterAll(() => web?.stop());

const toplevel = (name: string): string => systems[name] ?? `no system ${name}`;

function secret(name: string, text: string | Secret['source'], more: Partial<Secret> = {}): Secret {
  return {
    name,
    source: typeof text === 'string' ? { text: new SecretText(text) } : text,
    ...{ destination: `/run/keys/${name}`, user: 'root', group: 'root', permissions: '0400', action: [] },
    ...{ mkDirs: true, uploadAt: 'pre-activation', ...more },
  };
}

interface More {
  mode?: Mode;
  health?: string;
  config?: Partial<DeployConfig>;
}

function go(name: string, secrets: Secret[], { mode = 'switch', health, config = {} }: More = {}): Promise<Outcome> {
  const cmd = health === undefined ? [] : [{ description: 'the check', cmd: [health], period: 1, timeout: 5 }];
  return deployOne(
    nix,
    configuration(mode, key.private, web.knownHosts, { healthTimeout: 2, ...config }),
    deployment(web, toplevel(name), { secrets, healthChecks: { cmd, http: [] } }),
    context(recorder()),
  );
}

const file = async (path: string): Promise<string> => web.says('cat', path);
const facts = async (path: string): Promise<string> => web.says('stat', '-c', '%U:%G %a', path);
const inode = async (path: string): Promise<string> => web.says('stat', '-c', '%i', path);
const exists = async (path: string): Promise<boolean> =>
  (await web.says('sh', '-c', 'test -e "$0" && echo yes || echo no', path)) === 'yes';
/** What the work with secrets may leave behind. */
const left = (): Promise<string> =>
  web.says(
    'sh',
    '-c',
    'find /run/keys /var/lib /run/nix-ferry -name ".nix-ferry-*" -o -name "*.secrets"; ls -A /run/nix-ferry | grep -v -e lock -e holder; :',
  );
const starts = async (): Promise<number> => Number(await web.says('sh', '-c', 'wc -l </run/starts'));

describe('with an activation', () => {
  test('owner and mode are set, and the report names what was sent and what a reboot removes', async () => {
    const stays = { destination: '/var/lib/made/here/cert', permissions: '0640', user: 'daemon', group: 'adm' };
    const outcome = await go('two', [secret('token', 'first'), secret('cert', 'a certificate\n', stays)]);
    expect(outcome).toMatchObject({
      outcome: 'deployed',
      after: toplevel('two'),
      secrets: { changed: ['token', 'cert'], unchanged: [], volatile: ['token'], unknown: [] },
    });
    expect(outcome.message).toBe(
      'Runs and boots the new system. Secrets sent: token, cert. A reboot removes these secrets, and `ferry secrets` sends them again: token.',
    );
    expect([await file('/run/keys/token'), await facts('/run/keys/token')]).toEqual(['first', 'root:root 400']);
    expect([await file('/var/lib/made/here/cert'), await facts('/var/lib/made/here/cert')]).toEqual([
      'a certificate',
      'daemon:adm 640',
    ]);
    expect(await facts('/var/lib/made')).toBe('root:root 755');
    expect(await left()).toBe('');
  });

  test('the activation sees those of before it, and those of after it come after the confirmation', async () => {
    const late = secret('late', 'late', { uploadAt: 'post-activation' });
    const health = 'test -e /run/keys/early && test ! -e /run/keys/late';
    const outcome = await go('one', [secret('early', 'early'), late], { health });
    expect(outcome).toMatchObject({ outcome: 'deployed', secrets: { changed: ['early', 'late'] } });
    expect(await file('/run/keys/late')).toBe('late');
  });

  test('they are taken back with the activation, and the action reads the old ones again', async () => {
    const action = ['systemctl', 'restart', 'reader.service'];
    await go('one', [secret('token', 'the old one', { action })]);
    expect(await file('/run/read')).toBe('the old one');
    const changed = [
      secret('token', 'the new one', { action, permissions: '0440' }),
      secret('another', 'another', { destination: '/var/lib/other/deep/another' }),
    ];
    const seen = '[ "$(cat /run/read)" = "the new one" ] && touch /run/was-read; false';
    const outcome = await go('two', changed, { health: seen });
    expect(outcome).toMatchObject({ outcome: 'rolled-back', after: toplevel('one') });
    expect(outcome.secrets).toBeUndefined();
    expect(await exists('/run/was-read')).toBe(true);
    expect([await file('/run/keys/token'), await facts('/run/keys/token')]).toEqual(['the old one', 'root:root 400']);
    expect(await file('/run/read')).toBe('the old one');
    expect(await exists('/var/lib/other')).toBe(false);
    expect(await left()).toBe('');
  });

  test('an action that fails takes everything back', async () => {
    const outcome = await go('two', [secret('token', 'newer', { action: ['exit', '7'] })]);
    expect(outcome).toMatchObject({ outcome: 'rolled-back', after: toplevel('one') });
    expect(outcome.message).toMatch(/^The action of token failed \(exit code 7\)\. The target is back on /);
    expect(await file('/run/keys/token')).toBe('the old one');
  });

  test('an owner whom the new system makes gets his secret after the activation', async () => {
    const wanted = [
      secret('of-app', 'app', { user: 'app', group: 'app', permissions: '0440' }),
      secret('later', 'app', { user: 'app', group: 'app', uploadAt: 'post-activation' }),
    ];
    const refused = await go('two', wanted);
    expect(refused).toMatchObject({ outcome: 'refused', after: toplevel('one') });
    expect(refused.message).toBe(
      'Secrets cannot be written: of-app: there is no user app; later: there is no user app. Nothing was changed.',
    );
    const outcome = await go('app', wanted, { health: '[ "$(stat -c %U:%G /run/keys/of-app)" = app:app ]' });
    expect(outcome.message).toMatch(/^Runs and boots the new system\./);
    expect(outcome).toMatchObject({ outcome: 'deployed', secrets: { changed: ['of-app', 'later'] } });
    expect([await facts('/run/keys/of-app'), await facts('/run/keys/later')]).toEqual(['app:app 440', 'app:app 400']);
    await go('one', []);
  });
});

describe('on the running system', () => {
  test('a system that is already there: only what has changed is sent, and only then its action runs', async () => {
    const action = ['systemctl', 'restart', 'reader.service'];
    const of = (text: string, permissions = '0400'): Secret[] => [
      secret('token', text, { action, permissions }),
      secret('same', 'same', { action }),
    ];
    expect(await go('one', of('1'))).toMatchObject({ outcome: 'deployed', secrets: { changed: ['token', 'same'] } });
    const before = await starts();
    const outcome = await go('one', of('1'));
    expect(outcome).toMatchObject({ outcome: 'unchanged', secrets: { changed: [], unchanged: ['token', 'same'] } });
    const sameFile = await inode('/run/keys/same');
    expect(await go('one', of('2'))).toMatchObject({ outcome: 'deployed', secrets: { changed: ['token'] } });
    expect([await starts(), await file('/run/read'), await inode('/run/keys/same')]).toEqual([
      before + 1,
      '2',
      sameFile,
    ]);
    expect(await go('one', of('2', '0440'))).toMatchObject({ outcome: 'deployed', secrets: { changed: ['token'] } });
    expect([await starts(), await facts('/run/keys/token')]).toEqual([before + 1, 'root:root 440']);
  });

  test('mode `secrets` sends them again after a reboot, whatever system is wanted', async () => {
    await web.powerCut();
    await web.powerOn();
    expect(await exists('/run/keys/token')).toBe(false);
    const outcome = await go('two', [secret('token', 'again')], { mode: 'secrets' });
    expect(outcome).toMatchObject({ outcome: 'deployed', after: toplevel('one'), secrets: { changed: ['token'] } });
    expect(outcome.message).toMatch(/^Secrets sent: token\. A reboot removes/);
    expect(await file('/run/keys/token')).toBe('again');
    expect(await go('two', [], { mode: 'secrets' })).toMatchObject({
      outcome: 'skipped',
      message: 'It has no secrets.',
    });
  });

  test('an action that fails: they are as they were', async () => {
    const wanted = [secret('token', 'broken', { action: ['exit', '7'] }), secret('more', 'more')];
    const outcome = await go('one', wanted, { mode: 'secrets' });
    expect(outcome).toMatchObject({
      outcome: 'rolled-back',
      message: 'The action of token failed (exit code 7). The secrets are as they were.',
    });
    expect([await file('/run/keys/token'), await exists('/run/keys/more'), await left()]).toEqual(['again', false, '']);
  });

  test('a run that was killed between two secrets is taken back by the next one', async () => {
    const script = `
      cd /run/keys && printf before >cut && ln cut .nix-ferry-gone-1.before && printf after >new && mv new cut
      printf half >.nix-ferry-gone-2.new
      printf 'gone\\nchange 1 /run/keys/cut\\ncreate 2 /run/keys/never\\n' >/var/lib/nix-ferry/activating.secrets`;
    await web.says('sh', '-c', script);
    expect(await go('one', [secret('token', 'again')], { mode: 'secrets' })).toMatchObject({ outcome: 'unchanged' });
    expect([await file('/run/keys/cut'), await left()]).toEqual(['before', '']);
  });

  test('a run that was killed after an action: the next one takes the secrets back, and the action reads the old one', async () => {
    const reader = { action: ['systemctl', 'restart', 'reader.service'] };
    const fatal = { action: ['[ -e /run/killed ] || { touch /run/killed; kill -KILL $PPID; }'] };
    const wanted = (text: string): Secret[] => [secret('token', text, reader), secret('zz', text, fatal)];
    await web.says('touch', '/run/killed');
    await go('one', wanted('old'), { mode: 'secrets' });
    await web.says('rm', '/run/killed');
    expect(await go('one', wanted('new'), { mode: 'secrets' })).toMatchObject({ outcome: 'failed' });
    expect([await file('/run/keys/token'), await file('/run/read')]).toEqual(['new', 'new']);
    expect(await go('one', wanted('old'), { mode: 'secrets' })).toMatchObject({ outcome: 'unchanged' });
    expect([await file('/run/keys/token'), await file('/run/read'), await left()]).toEqual(['old', 'old', '']);
  });

  test('two runs at the same time: one after the other, and each is whole', async () => {
    const all = (text: string): Secret[] => ['a', 'b', 'c'].map(name => secret(name, text.repeat(20_000)));
    const done = await Promise.all([
      go('one', all('x'), { mode: 'secrets' }),
      go('one', all('y'), { mode: 'secrets' }),
    ]);
    expect(done.map(({ outcome }) => outcome)).toEqual(['deployed', 'deployed']);
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(name => file(`/run/keys/${name}`)));
    expect([b, c]).toEqual([a, a]);
    expect(await left()).toBe('');
  });

  test('a concurrent reader sees the old content or the new one, with its owner and mode, and never a part', async () => {
    const [old, next] = ['o', 'n'].map(letter => letter.repeat(300_000)) as [string, string];
    const shared = { user: 'daemon', permissions: '0400' };
    await go('one', [secret('shared', old, shared)], { mode: 'secrets' });
    const reader = `
      : >/run/seen; touch /run/reading
      while [ -e /run/reading ]; do
        { cat /run/keys/shared && stat -c %U:%a /run/keys/shared; } 2>&1 | md5sum
      done | uniq >/run/seen`;
    const reading = web.says('sh', '-c', reader);
    await until(async () => expect(await exists('/run/reading')).toBe(true), 'the reader');
    for (const text of [next, old, next]) await go('one', [secret('shared', text, shared)], { mode: 'secrets' });
    await web.says('rm', '/run/reading');
    await reading;
    const sum = (text: string): string => createHash('md5').update(`${text}daemon:400\n`).digest('hex');
    const seen = (await file('/run/seen')).split('\n').map(line => line.split(' ')[0]);
    expect(new Set(seen)).toEqual(new Set([sum(old), sum(next)]));
  });
});

describe('contents and names', () => {
  test('a binary megabyte from a file, an empty one, a command, a variable, and odd names', async () => {
    const large = randomBytes(1024 * 1024);
    const bytes = join(folder, 'large');
    writeFileSync(bytes, large);
    const odd = 'it\'s "odd" $(touch /run/injected) `x` ; ü\\n -e *';
    const command = ['printf', '%s\\n\\0\\377', "$(touch /run/injected) 'q'"];
    const wanted = [
      secret('large', { file: bytes }),
      secret('empty', ''),
      secret(odd, 'odd', { destination: `/run/keys/${odd} `, action: ['true', "'$(touch /run/ran)'"] }),
      secret('-n', '\n\n', { destination: '/run/keys/-n' }),
      secret('command', { command, folder }),
      secret('where', { command: ['pwd'], folder }),
      secret('variable', { env: 'DB' }),
    ];
    const outcome = await go('one', wanted, { mode: 'secrets', config: { secretVariables: { DB: 'from CI\n' } } });
    expect(outcome.secrets?.changed).toEqual(wanted.map(({ name }) => name));
    const hash = createHash('sha256').update(large).digest('hex');
    expect(await web.says('sha256sum', '/run/keys/large')).toBe(`${hash}  /run/keys/large`);
    expect(await web.says('stat', '-c', '%s', '/run/keys/empty', '/run/keys/-n')).toBe('0\n2');
    expect(await file(`/run/keys/${odd} `)).toBe('odd');
    expect(await web.says('sh', '-c', 'tail -c 3 /run/keys/command | od -An -tx1')).toBe('0a 00 ff');
    expect(await file('/run/keys/where')).toBe(folder);
    const sum = createHash('sha256').update('from CI\n').digest('hex');
    expect(await web.says('sha256sum', '/run/keys/variable')).toBe(`${sum}  /run/keys/variable`);
    // An action is read by a shell, as a check is; nothing else is.
    expect([await exists('/run/injected'), await exists('/run/ran')]).toEqual([false, false]);
  });

  test('a full disk: refused with its name, and nothing was changed', async () => {
    const disk = `mkdir -p /run/small && mount -t tmpfs -o size=64k,mode=700 none /run/small && printf old >/run/small/a`;
    await web.says('sh', '-c', disk);
    const wanted = ['a', 'b'].map(name => secret(name, name.repeat(50_000), { destination: `/run/small/${name}` }));
    const outcome = await go('two', wanted);
    expect(outcome).toMatchObject({ outcome: 'refused', after: toplevel('one') });
    expect(outcome.message).toMatch(/^The secret b could not be written to \/run\/small\/b: .*No space left on device/);
    expect([await file('/run/small/a'), await web.says('ls', '-A', '/run/small')]).toEqual(['old', 'a']);
    expect(await go('one', wanted, { mode: 'secrets' })).toMatchObject({ outcome: 'rolled-back' });
    expect([await file('/run/small/a'), await web.says('ls', '-A', '/run/small')]).toEqual(['old', 'a']);
    await web.says('umount', '/run/small');
  });
});

describe('what is refused before anything is changed', () => {
  test('sources that cannot be read: one error names all', async () => {
    const wanted = [
      secret('good', 'good'),
      secret('no-file', { file: join(folder, 'none') }),
      secret('no-command', { command: ['no-such-program'] }),
      secret('failing', { command: ['sh', '-c', 'echo printed; echo reason >&2; exit 3'] }),
    ];
    await expect(go('two', wanted)).rejects.toThrow(
      [
        'Secrets cannot be sent, and nothing was changed:',
        '  web: "failing": the command sh failed with exit code 3: reason',
        '  web: "no-command": the command no-such-program is not installed',
        `  web: "no-file": the file ${join(folder, 'none')} does not exist`,
      ].join('\n'),
    );
    expect([await exists('/run/keys/good'), await web.currentSystem()]).toEqual([false, toplevel('one')]);
  });

  test('users, groups and directories of the target: one error names all', async () => {
    await web.says(
      'sh',
      '-c',
      'mkdir -p /var/lib/open && chmod 777 /var/lib/open && ln -sfn /var/lib/open /var/lib/link',
    );
    await web.says('sh', '-c', 'mkdir -p /var/lib/theirs /run/keys/dir && chown daemon /var/lib/theirs');
    const wanted = [
      secret('good', 'good'),
      secret('user', 'x', { user: 'nobody-here' }),
      secret('group', 'x', { group: 'nobody-here' }),
      secret('open', 'x', { destination: '/var/lib/open/deep/x' }),
      secret('link', 'x', { destination: '/var/lib/link/x' }),
      secret('theirs', 'x', { destination: '/var/lib/theirs/x' }),
      secret('dir', 'x', { destination: '/run/keys/dir' }),
      secret('unmade', 'x', { destination: '/var/lib/unmade/x', mkDirs: false }),
    ];
    const cure = 'choose a destination below directories that only root may write to';
    const expected = [
      'Secrets cannot be written: user: there is no user nobody-here',
      'group: there is no group nobody-here',
      `open: everyone may write to /var/lib/open: ${cure}`,
      `link: everyone may write to /var/lib/link: ${cure}`,
      `theirs: a user other than root may write to /var/lib/theirs: ${cure}`,
      'dir: /run/keys/dir is not a regular file',
      'unmade: the directory /var/lib/unmade does not exist. Nothing was changed.',
    ].join('; ');
    for (const mode of ['switch', 'secrets'] as const) {
      expect(await go('two', wanted, { mode })).toMatchObject({ outcome: 'refused', message: expected });
    }
    expect([await exists('/run/keys/good'), await web.currentSystem()]).toEqual([false, toplevel('one')]);
    expect(await left()).toBe('');
  });
});

describe('a dry run', () => {
  test('names what would be sent, sends nothing, and runs no command of the source', async () => {
    const ran = join(folder, 'ran');
    await go('one', [secret('same', 'same'), secret('other', 'old'), secret('command', 'x')], { mode: 'secrets' });
    const wanted = [
      secret('same', 'same'),
      secret('other', 'new'),
      secret('absent', 'new'),
      secret('command', { command: ['touch', ran] }),
    ];
    const report = { changed: ['other', 'absent'], unchanged: ['same'], unknown: ['command'] };
    for (const name of ['one', 'two']) {
      const outcome = await go(name, wanted, { mode: 'dry-activate' });
      expect(outcome).toMatchObject({ outcome: 'planned', secrets: report });
      expect(outcome.message).toContain('Secrets that would be sent: other, absent.');
    }
    expect([await file('/run/keys/other'), await exists('/run/keys/absent'), await left()]).toEqual(['old', false, '']);
    expect(await web.says('sh', '-c', 'ls /run/keys | grep -c ferry; :')).toBe('0');
  });

  test('of a pull request reads no source, and such a run sends no secret', async () => {
    const wanted = [secret('same', 'same'), secret('variable', { env: 'NOT_SET' })];
    const ofStranger = { config: { ownCode: false } };
    const outcome = await go('one', wanted, { mode: 'dry-activate', ...ofStranger });
    expect(outcome.secrets).toMatchObject({ changed: [], unknown: ['same', 'variable'] });
    await expect(go('two', wanted, ofStranger)).rejects.toThrow(
      'These hosts have secrets, which a run for this event does not read: web.',
    );
    expect(await web.currentSystem()).toBe(toplevel('one'));
  });
});
