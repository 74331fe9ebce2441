import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import { type ActionOptions, type ActionResult, runAction, startAction } from '../support/action.ts';
import { embeddedFleet } from '../support/embedded.ts';
import { signingKey } from '../support/keys.ts';
import { ResultsService } from '../support/results.ts';
import { Runner } from '../support/runner.ts';
import { generateKey, until } from '../support/target.ts';

/*
 * The whole step, each time on a fresh machine, with the real @actions/cache and a results service on loopback. A directory
 * that all machines see is used as the public cache.
 */

const own = signingKey('fleet-1');
const publicCache = signingKey('public.example-1');
const nixConf = `substituters = file:///opt/public\nextra-trusted-public-keys = ${publicCache.public}`;

let results: ResultsService;
let fleet: string;
let published: string;
beforeAll(async () => {
  results = await ResultsService.start();
  fleet = await embeddedFleet();
  const who = ['-c', 'user.name=Test', '-c', 'user.email=test@localhost'];
  await exec('git', ['init', '--quiet', fleet]);
  await exec('git', ['-C', fleet, 'add', '--all', '--force']);
  await exec('git', ['-C', fleet, ...who, 'commit', '--quiet', '-m', 'fleet']);
  published = mkdtempSync(join(tmpdir(), 'public-'));
  chmodSync(published, 0o755);
});
afterAll(() => results.stop());

interface Fresh extends ActionResult {
  /** Names of the derivations that were built on the machine, without the set-up's own probes. */
  built: string[];
  /** What main printed, without the debug output of the client. */
  log: string;
}

interface FreshOptions extends Partial<ActionOptions> {
  begin?: (runner: Runner) => Promise<unknown>;
  end?: (runner: Runner) => Promise<unknown>;
  /** How the step is run; by default, to its end. */
  how?: (runner: Runner, options: ActionOptions) => Promise<ActionResult>;
  /** The exit code that it must have. */
  code?: number;
}

/** The step, as the user `runner`, on a machine that has Nix and an empty store. */
async function freshRun(inputs: Record<string, string> = {}, options: FreshOptions = {}): Promise<Fresh> {
  const { begin, end, how = runAction, code = 0, ...action } = options;
  const readOnly = { [published]: '/opt/public', [fleet]: '/opt/fleet' };
  const runner = await Runner.start({ name: 'cache', nix: '2.26', readOnly });
  try {
    await runner.run(['cp', '-R', '/opt/fleet/.', '.']);
    await begin?.(runner);
    const result = await how(runner, {
      results,
      secrets: [own.secret, results.token],
      ...action,
      inputs: { 'nix-conf': nixConf, 'signing-key': own.secret, archive: 'none', ...inputs },
    });
    const log = result.main.log.replace(/^::debug::.*\n/gm, '');
    if (result.main.code !== code) throw new Error(log);
    expect(result.post?.code).toBe(0);
    expect(result.leaks).toEqual([]);
    const { stdout } = await runner.machine.run(['find', '/nix/var/log/nix/drvs', '-type', 'f', '-printf', '%f\\n']);
    const built = stdout.split('\n').map(name => name.replace(/^\w{30}-/, '').replace(/\.drv\.bz2$/, ''));
    await end?.(runner);
    return { ...result, log, built: built.filter(name => name !== '' && name !== 'nix-ferry-probe').sort() };
  } finally {
    await runner.stop();
  }
}

const warnings = ({ main }: Pick<ActionResult, 'main'>): string[] =>
  main.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message);
const requested = (from: number): string[] => results.requests.slice(from).map(({ what }) => what);
const infoFiles = (directory: string): string[] => readdirSync(directory).filter(name => name.endsWith('.narinfo'));

/** The entries of the store cache, without the cached plans. */
const entries = (service = results) => service.caches.filter(({ key }) => key.startsWith('nix-ferry-store-'));

/** Unpacks the newest entry of the service, lets `change` modify it, and packs it again. */
async function inEntry<T>(change: (directory: string) => T): Promise<T> {
  const entry = entries().at(-1);
  if (entry === undefined) throw new Error('the service has no entry');
  const work = mkdtempSync(join(tmpdir(), 'entry-'));
  // zstd's magic number; gzip is what the client takes without it.
  const archive = join(work, entry.content.readUInt32LE(0) === 0xfd2fb528 ? 'cache.tzst' : 'cache.tgz');
  writeFileSync(archive, entry.content);
  const unpacked = join(work, 'a/b/c');
  mkdirSync(unpacked, { recursive: true });
  const { stdout } = await exec('tar', ['--extract', '--verbose', '-P', '--file', archive, '--directory', unpacked]);
  const name = stdout.split('\n')[0] ?? '';
  const answer = change(join(unpacked, name));
  await exec('tar', ['--create', '--auto-compress', '-P', '--file', archive, '--directory', unpacked, name]);
  entry.content = readFileSync(archive);
  rmSync(work, { recursive: true });
  return answer;
}

/** What an attacker, or a bad disk, would do to each `.narinfo`. */
function rewrite(directory: string, what: RegExp, to: (...match: string[]) => string): void {
  for (const name of infoFiles(directory)) {
    const text = readFileSync(join(directory, name), 'utf8');
    expect(text).toMatch(what);
    writeFileSync(join(directory, name), text.replace(what, to));
  }
}

test('a run for a pull request saves nothing; neither does a run without a key', async () => {
  const event = { name: 'pull_request' };
  // Its build of one package becomes the public cache.
  const end = async ({ machine, path }: Runner): Promise<void> => {
    await machine.run(['sh', '-c', 'cat >/root/key'], { input: publicCache.secret });
    const script = `"$0" --extra-experimental-features nix-command copy --store local \\
      --to 'file:///var/tmp/public?secret-key=/root/key' \\
      $("$0-store" --query --requisites /nix/store/*-nixos-system-server-* | grep -e '-hello-2.12$')`;
    await machine.run(['sh', '-euc', script, `${path.split(':')[0]}/nix`]);
    cpSync(machine.path('/var/tmp/public'), published, { recursive: true });
  };
  const [first, second] = await Promise.all([
    freshRun({ hosts: 'server' }, { event, end }),
    freshRun({ hosts: 'server', 'signing-key': '' }),
  ]);
  expect(first.log).toContain('later runs must not use what this event builds');
  expect(second.log).not.toContain('Saved');
  expect(warnings(first).concat(warnings(second))).toEqual([]);
  expect(requested(0)).not.toContain('CreateCacheEntry');
  expect(infoFiles(published).length).toBeGreaterThan(1);
});

test('the first run builds and saves only paths that the public cache does not have', async () => {
  const { built, log, main } = await freshRun();
  expect(built).toEqual(expect.arrayContaining([expect.stringContaining('nixos-system-router')]));
  expect(built.filter(name => name === 'hello-2.12')).toHaveLength(1);
  expect(log).toContain('Emulation of aarch64-linux: registered');
  expect(log).toMatch(/Saved \d+ paths in the store cache/);
  expect(main.annotations.filter(({ level }) => level !== 'notice')).toEqual([]);
  expect(entries()).toHaveLength(1);
  await inEntry(directory => {
    const names = infoFiles(directory);
    expect(names.filter(name => infoFiles(published).includes(name))).toEqual([]);
    const infos = names.map(name => readFileSync(join(directory, name), 'utf8'));
    expect(infos.join('')).not.toContain('public.example-1');
    for (const info of infos) expect(info).toMatch(/^Sig: fleet-1:/m);
    expect(infos.map(info => /^StorePath: \S{44}(\S+)$/m.exec(info)?.[1])).toEqual(expect.arrayContaining(built));
  });
});

test('the second run, on another machine, builds nothing, emulates nothing and saves nothing', async () => {
  const before = results.requests.length;
  // This machine has no emulation.
  const begin = ({ machine }: Runner) => machine.run(['sh', '-c', 'rm /var/local/apt/qemu-user*']);
  const second = await freshRun({}, { begin });
  expect(second.built).toEqual([]);
  expect(second.log).not.toContain('Emulation');
  expect(second.log).toContain('The store cache already has everything that was built.');
  expect(warnings(second)).toEqual([]);
  expect(requested(before)).not.toContain('CreateCacheEntry');
});

test('a changed fleet restores what it still needs from the last entry, and saves a new one', async () => {
  const begin = async (runner: Runner): Promise<void> => {
    await runner.run(['sed', '-i', 's/Welcome to/Hello from/', 'modules/greeting.nix']);
    await runner.commit();
  };
  const { built, log } = await freshRun({ hosts: 'server,router' }, { begin });
  expect(built).toEqual(expect.arrayContaining(['etc', expect.stringContaining('nixos-system-server')]));
  expect(built.filter(name => /hello|linux|firewall/.test(name))).toEqual([]);
  expect(log).toMatch(/Saved \d+ paths/);
  expect(entries()).toHaveLength(2);
});

describe('an entry that was changed after signing is not an error: missing paths are built', () => {
  let good: Buffer;
  let whole: string[];
  beforeAll(async () => {
    whole = (await freshRun({ hosts: 'server' })).built;
    good = entries().at(-1)?.content ?? Buffer.alloc(0);
  });

  test.each<[string, (directory: string) => void, RegExp]>([
    [
      'a bad signature',
      directory => rewrite(directory, /^(Sig: \S+?:)(.)/m, (_all, head, first) => head + (first === 'A' ? 'B' : 'A')),
      /^Ignoring \d+ paths of the store cache that are not signed by a trusted key/,
    ],
    [
      'the name of other content than it was signed for',
      directory => rewrite(directory, /^NarSize: (\d+)$/m, (_all, size) => `NarSize: ${Number(size) + 8}`),
      /^Ignoring \d+ paths of the store cache that are not signed by a trusted key/,
    ],
    [
      'entries that are not entries',
      directory => rewrite(directory, /^/, () => 'something else\n'),
      /^The store cache is not used: /,
    ],
  ])('%s: ignored with a warning', async (_what, poison, warning) => {
    Object.assign(entries().at(-1) ?? {}, { content: good });
    await inEntry(poison);
    const poisoned = await freshRun({ hosts: 'server' });
    expect(warnings(poisoned)).toEqual(expect.arrayContaining([expect.stringMatching(warning)]));
    expect(poisoned.built).toEqual(whole);
  });

  test('damaged files', async () => {
    Object.assign(entries().at(-1) ?? {}, { content: good });
    await inEntry(directory => {
      for (const name of readdirSync(join(directory, 'nar'))) writeFileSync(join(directory, 'nar', name), 'damaged');
    });
    expect((await freshRun({ hosts: 'server' })).built).toEqual(whole);
  });
});

test.each<[string, (service: ResultsService) => void, string[]]>([
  [
    'answers with 5xx',
    service => service.fail(/CacheEntry/, 503, 99),
    ['did not answer within 10 s', 'The store cache was not saved'],
  ],
  ['does not answer', service => service.fail(/GetCacheEntry/, 0, 99), ['did not answer within 10 s']],
  [
    'holds an entry that it does not give',
    service => {
      service.caches.push(...results.caches);
      service.fail(/^(GET|HEAD)$/, 500, 99);
    },
    ['The store cache is not used: its entry .* could not be downloaded'],
  ],
  ['does not take the files', service => service.fail(/^PUT$/, 500, 99), ['The store cache was not saved']],
])('a service that %s is a warning', async (_what, fault, expected) => {
  const service = await ResultsService.start();
  fault(service);
  const run = await freshRun({ hosts: 'server' }, { results: service });
  await service.stop();
  for (const text of expected) expect(warnings(run).join('\n')).toMatch(new RegExp(text));
  // Two reads and two writes, each tried a few times.
  expect(service.requests.length).toBeLessThanOrEqual(30);
});

test('built paths are saved even if a later stage fails', async () => {
  const service = await ResultsService.start();
  const key = await generateKey('deploy');
  const access = { targets: 'server: root@127.0.0.1:9', 'known-hosts': `[127.0.0.1]:9 ${key.public}` };
  const inputs = { hosts: 'server', mode: 'switch', ...access, 'deploy-key': key.private };
  const { log } = await freshRun(inputs, { results: service, code: 1 });
  await service.stop();
  expect(log).toContain('unreachable');
  expect(entries(service)).toHaveLength(1);
});

test('a cancelled run does not wait for the service', async () => {
  const service = await ResultsService.start();
  service.fail(/^CreateCacheEntry$/, 0, 99);
  const how = async (runner: Runner, options: ActionOptions): Promise<ActionResult> => {
    const step = startAction(runner, options);
    // For the plan, then for the built paths.
    const saves = () => service.requests.filter(({ what }) => what === 'CreateCacheEntry');
    const asked = async () => expect(saves()).toHaveLength(2);
    await until(asked, 'the service');
    step.cancel();
    return step.done;
  };
  const { main } = await freshRun({ hosts: 'server' }, { results: service, how });
  await service.stop();
  // Waiting for the service ends with a warning.
  expect(warnings({ main })).toEqual([]);
});
