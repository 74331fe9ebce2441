import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Archive, type ArchiveConfig, archive, readArchive, verifyArchive } from '../../../src/archive/index.ts';
import type { Built } from '../../../src/build/built.ts';
import type { Context } from '../../../src/context.ts';
import type { Exec } from '../../../src/exec.ts';
import { Nix } from '../../../src/nix/index.ts';
import { rootOf, Stores } from '../support/archive-stores.ts';
import type { NixVersion } from '../support/runner.ts';

describe.each<NixVersion>(['2.8', '2.26', '2.34'])('with Nix %s', version => {
  let stores: Stores;
  let context: Context;
  let scratch: string;
  let secretKey: string;
  let publicKey: string;

  beforeAll(async () => {
    stores = await Stores.create(version);
    ({ context, scratch } = stores);
    ({ secret: secretKey, public: publicKey } = await stores.newKey('fleet-1'));
  });
  afterAll(() => stores.remove());

  const config = (directory: string, rest: Partial<ArchiveConfig> = {}): ArchiveConfig => ({
    archive: 'full',
    directory: join(scratch, directory),
    signingKey: null,
    includeSource: false,
    source: null,
    provenance: {
      commit: 'c'.repeat(40),
      repository: 'someone/fleet',
      branch: 'main',
      committed: 2000,
      run: null,
      producer: 'nix-ferry test',
    },
    ...rest,
  });

  async function one(built: Built, of: ArchiveConfig, nix: Nix): Promise<Archive> {
    const [made] = await archive([built], of, nix, context, null);
    if (made === undefined) throw new Error('no archive was made');
    return made;
  }

  /** Every file with its content, by its name in the directory. */
  async function contents(directory: string): Promise<Record<string, string>> {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
    const read = files.map(async file => [file.slice(directory.length), await readFile(file, 'base64')]);
    return Object.fromEntries(await Promise.all(read));
  }

  test('Nix alone reads a full archive into an empty store: same toplevel, same NAR hashes', async () => {
    const here = await stores.newStore();
    const built = await stores.build(here, 'web1');
    const made = await one(built, config('plain'), here);
    const there = await stores.newStore();
    await there.run('nix', ['copy', '--no-check-sigs', '--from', `file://${made.directory}`, made.toplevel]);
    const hashes = (infos: { path: string; narHash: string }[]) =>
      infos.map(({ path, narHash }) => `${path} ${narHash}`).sort();
    expect(hashes(await there.closure([made.toplevel]))).toEqual(hashes(await here.closure([made.toplevel])));
    expect(made).toMatchObject({ paths: 43, closurePaths: 43, insideBytes: made.closureBytes });
  });

  test('two runs in two clean stores make the same bytes', async () => {
    const clean = [await stores.newStore(), await stores.newStore()];
    const made = await Promise.all(
      clean.map(async (nix, index) => {
        const of = config(`run-${index}`, { signingKey: secretKey });
        return one(
          await stores.build(nix, 'web1'),
          { ...of, provenance: { ...of.provenance, run: `run ${index}` } },
          nix,
        );
      }),
    );
    const [first, second] = await Promise.all(made.map(({ directory }) => contents(directory)));
    expect(Object.keys(first ?? {}).length).toBeGreaterThan(80);
    expect(second).toEqual(first);
    expect(made[1]?.digest).toBe(made[0]?.digest);
  });

  test('another commit of the same closure has the same digest; another closure has another', async () => {
    const nix = await stores.newStore();
    const of = config('commits');
    const first = await one(await stores.build(nix, 'web1'), of, nix);
    const later = { ...of, provenance: { ...of.provenance, commit: 'd'.repeat(40) } };
    expect((await one(await stores.build(nix, 'web1'), later, nix)).digest).toBe(first.digest);
    expect((await one(await stores.build(nix, 'web1', 'changed'), of, nix)).digest).not.toBe(first.digest);
  });

  test('hosts that share paths get separate archives, and shared paths are packed once', async () => {
    const nix = await stores.newStore();
    const hosts = [await stores.build(nix, 'web1'), await stores.build(nix, 'web2')];
    const before = stores.logged.length;
    const made = await archive(hosts, config('fleet'), nix, context, null);
    const single = await one(hosts[1] as Built, config('single'), nix);
    expect(await contents(made[1]?.directory ?? '')).toEqual(await contents(single.directory));
    expect(stores.logged.slice(before)).toContain('packing path 43 of 43');
    for (const { directory } of made) await verifyArchive(directory, [], nix, context);
  });

  test('after a change of one file, a delta contains only what changed', async () => {
    const nix = await stores.newStore();
    const cache = await stores.newKey('cache-1');
    const target = { substituters: ['https://cache.example'], trustedPublicKeys: [cache.public] };
    const first = await stores.build(nix, 'web1');
    const changed = await stores.build(nix, 'web1', 'one file changed', target);
    // As if the first had been substituted from a cache: signed, and not built here.
    const keyFile = join(scratch, 'cache-key');
    await writeFile(keyFile, cache.secret, { mode: 0o600 });
    await nix.run('nix', ['store', 'sign', '--recursive', '--key-file', keyFile, first.toplevel]);
    changed.closure = await nix.closure([changed.toplevel]);
    const delta = await one(changed, config('delta', { archive: 'delta' }), nix);
    const { manifest } = await readArchive(delta.directory, context);
    const inside = manifest.paths.filter(path => path.inside).map(({ path }) => path.slice(44));
    expect(inside.sort()).toEqual(['configuration-web1', 'nixos-system-web1']);
    expect(manifest.paths.filter(path => !path.inside).map(({ cache }) => cache)).toEqual(Array(41).fill('cache-1'));
    expect(delta.paths).toBe(2);
    await verifyArchive(delta.directory, [], nix, context);
    // A machine that has the old system gets the new one from it with Nix alone.
    const there = await stores.newStore();
    const full = await one(first, config('before'), nix);
    await there.run('nix', ['copy', '--no-check-sigs', '--from', `file://${full.directory}`, full.toplevel]);
    const paths = manifest.paths.filter(path => path.inside).map(({ path }) => path);
    await there.run('nix', [
      'copy',
      '--no-check-sigs',
      '--no-recursive',
      '--from',
      `file://${delta.directory}`,
      ...paths,
    ]);
    expect((await there.closure([delta.toplevel])).length).toBe(43);
  });

  test('a signed archive is accepted only by stores that trust the key, and does not contain the secret key', async () => {
    const nix = await stores.newStore();
    const made = await one(await stores.build(nix, 'web1'), config('signed', { signingKey: `${secretKey}\n` }), nix);
    expect(made.publicKey).toBe(publicKey);
    expect(stores.logged.join('\n')).toContain(publicKey);
    await verifyArchive(made.directory, [publicKey], nix, context);
    const stranger = await stores.newKey('fleet-1');
    await expect(verifyArchive(made.directory, [stranger.public], nix, context)).rejects.toThrow(
      /web1 is refused.*untrusted/,
    );
    const files = await contents(made.directory);
    const half = secretKey.split(':')[1]?.slice(0, 40) as string;
    expect(Buffer.from(Object.values(files).join(''), 'base64').includes(half)).toBe(false);
    expect(stores.logged.join('\n')).not.toContain(half);
    // Nor in the arguments or the environment of a program, which other users of the machine can read.
    expect(stores.commands.filter(command => command.includes('sign')).length).toBeGreaterThan(0);
    expect(stores.commands.join('\n')).not.toContain(half);
    // A machine that trusts the key needs no --no-check-sigs, and refuses without it.
    const trusting = await stores.newStore();
    const trust = ['--option', 'require-sigs', 'true', '--option', 'trusted-public-keys'];
    const copy = ['copy', '--from', `file://${made.directory}`, made.toplevel, ...trust];
    await expect(trusting.run('nix', [...copy, stranger.public])).rejects.toThrow(/signature/);
    await trusting.run('nix', [...copy, publicKey]);
  });

  test('an unsigned archive is refused if a signature is required', async () => {
    const nix = await stores.newStore();
    const made = await one(await stores.build(nix, 'web1'), config('unsigned'), nix);
    await expect(verifyArchive(made.directory, [publicKey], nix, context)).rejects.toThrow(/it is not signed/);
  });

  test.each([
    ['a text that is not a key', 'hello'],
    ['a key of the wrong length', 'name:aGVsbG8='],
  ])('%s: one error that does not repeat it', async (_, signingKey) => {
    const nix = await stores.newStore();
    const made = one(await stores.build(nix, 'web1'), config('badkey', { signingKey }), nix);
    await expect(made).rejects.toMatchObject({ name: 'UserError', where: { input: 'signing-key' } });
    await expect(made).rejects.not.toThrow(signingKey);
  });

  const tampering: [string, (file: string, text: string) => boolean, RegExp][] = [
    ['the manifest', file => file === '/manifest.json', /manifest\.json/],
    ['the sums', file => file === '/SHA256SUMS', /SHA256SUMS was changed/],
    ['the installer', file => file === '/install', /install was changed/],
    ['the script that activates', file => file === '/activate.sh', /activate\.sh was changed/],
    ['an entry of the cache', (file, text) => file.endsWith('.narinfo') && !text.includes('-manifest.json'), /refused/],
    ['the description of the cache', file => file === '/nix-cache-info', /nix-cache-info was changed/],
    ['a NAR', file => file.startsWith('/nar/'), /refused/],
  ];
  const fileOf = async (directory: string, which: (file: string, text: string) => boolean): Promise<string> => {
    const files = Object.entries(await contents(directory));
    return files.find(([file, text]) => which(file, Buffer.from(text, 'base64').toString()))?.[0] as string;
  };
  test.each(tampering)('a bit flipped in %s is found, signed or not', async (name, which, message) => {
    const nix = await stores.newStore();
    for (const signingKey of [null, secretKey]) {
      const made = await one(await stores.build(nix, 'web1'), config('tampered', { signingKey }), nix);
      const file = await fileOf(made.directory, which);
      const bytes = await readFile(join(made.directory, file));
      const middle = Math.floor(bytes.length / 2);
      bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
      await writeFile(join(made.directory, file), bytes);
      const verified = verifyArchive(made.directory, signingKey === null ? [] : [publicKey], nix, context);
      await expect(verified).rejects.toThrow(message);
      await expect(verified).rejects.toMatchObject({ name: 'UserError' });
    }
    expect(name).not.toBe('');
  });

  test("a bit flipped in any line of the manifest's entry is found", async () => {
    const nix = await stores.newStore();
    const made = await one(await stores.build(nix, 'web1'), config('entry'), nix);
    const isEntry = (file: string, text: string): boolean =>
      file.endsWith('.narinfo') && text.includes('-manifest.json');
    const file = join(made.directory, await fileOf(made.directory, isEntry));
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^StorePath: .*\nURL: .*\nCompression: none\n(File|Nar)/);
    const lines = [...text.matchAll(/^\w+: ?/gm)].flatMap(({ 0: name, index }) => [index + 2, index + name.length]);
    for (const at of lines) {
      const bytes = Buffer.from(text);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      await writeFile(file, bytes);
      await expect(verifyArchive(made.directory, [], nix, context)).rejects.toThrow(/archive of web1 is refused/);
    }
    await writeFile(file, text);
    await verifyArchive(made.directory, [], nix, context);
  });

  test('a missing path or NAR is detected', async () => {
    const nix = await stores.newStore();
    const made = await one(await stores.build(nix, 'web1'), config('missing'), nix);
    for (const which of ['.narinfo', '.nar.zst']) {
      const copy = join(scratch, `missing${which}`);
      await cp(made.directory, copy, { recursive: true });
      const file = Object.keys(await contents(copy)).find(name => name.endsWith(which)) as string;
      await rm(join(copy, file));
      await expect(verifyArchive(copy, [], nix, context)).rejects.toThrow(/web1 is refused/);
    }
  });

  test("another host's archive, with its own valid signature, is not accepted as this one's", async () => {
    const nix = await stores.newStore();
    const hosts = [await stores.build(nix, 'web1'), await stores.build(nix, 'web2')];
    const made = await archive(hosts, config('swap', { signingKey: secretKey }), nix, context, null);
    const [first, second] = made.map(({ directory }) => join(directory, 'manifest.json'));
    await cp(second as string, first as string);
    await expect(verifyArchive(made[0]?.directory ?? '', [publicKey], nix, context)).rejects.toThrow(/refused/);
  });

  test('a folder without a manifest is not an archive', async () => {
    await mkdir(join(scratch, 'empty'), { recursive: true });
    await expect(readArchive(join(scratch, 'empty'), context)).rejects.toThrow(
      /is not an archive: it contains no manifest.json/,
    );
  });

  test('the configuration is included: what Git tracks, as it is in the folder, and nothing else', async () => {
    const nix = await stores.newStore();
    const source = join(scratch, `repository-${version}`);
    await mkdir(join(source, 'hosts'), { recursive: true });
    await writeFile(join(source, 'flake.nix'), 'committed');
    await writeFile(join(source, 'hosts/web1.nix'), '{ }');
    await writeFile(join(source, '.env'), 'PASSWORD=hunter2');
    await context.exec('git', ['-C', source, 'init', '-q']);
    await context.exec('git', ['-C', source, 'add', 'flake.nix', 'hosts']);
    await writeFile(join(source, 'flake.nix'), 'changed since');
    const plain = await one(await stores.build(nix, 'web1'), config('sourceless'), nix);
    const made = await one(await stores.build(nix, 'web1'), config('sourced', { includeSource: true, source }), nix);
    const { manifest } = await readArchive(made.directory, context);
    expect(manifest.source).toMatchObject({ configuration: expect.stringMatching(/-configuration$/), nixpkgs: null });
    expect(made.paths).toBe(plain.paths + 1);
    expect(made.digest).not.toBe(plain.digest);
    const there = await stores.newStore();
    const path = manifest.source?.configuration ?? '';
    await there.run('nix', ['copy', '--no-check-sigs', '--from', `file://${made.directory}`, path]);
    const held = await contents(join(rootOf(there), path));
    expect(Object.keys(held).sort()).toEqual(['/flake.nix', '/hosts/web1.nix']);
    expect(Buffer.from(held['/flake.nix'] ?? '', 'base64').toString()).toBe('changed since');
    await verifyArchive(made.directory, [], nix, context);
  });

  test('the name of a folder may contain a space and a bracket', async () => {
    const nix = await stores.newStore();
    const made = await one(await stores.build(nix, 'web1'), config('my fleet (1)', { signingKey: secretKey }), nix);
    expect(made.directory).toBe(join(scratch, 'my fleet (1)/closure-web1'));
    const read = await readArchive(made.directory, context);
    await verifyArchive(read.directory, [publicKey], nix, context);
  });

  test.each([
    ['while it packs', 'packing'],
    ['when all is packed', 'packed'],
  ])('a run that is cancelled %s leaves the earlier archive, and nothing half-done', async (_, when) => {
    const store = await stores.newStore();
    const of = config(`cancelled-${when}`);
    const before = await one(await stores.build(store, 'web1'), of, store);
    const kept = await contents(before.directory);
    const cancelled = new AbortController();
    const stopped = {
      ...context,
      signal: cancelled.signal,
      progress: () => (when === 'packing' ? cancelled.abort() : undefined),
    };
    const exec: Exec = async (command, args, options) => {
      const result = await context.exec(command, args, options);
      // Nix notices only after it has packed the last path.
      if (args[0] === 'copy') cancelled.abort();
      return result;
    };
    const nix = new Nix({ ...context, exec }, store.installation);
    const changed = await stores.build(store, 'web1', 'changed');
    await expect(archive([changed], of, nix, stopped, null)).rejects.toThrow();
    expect(await readdir(of.directory)).toEqual(['closure-web1']);
    expect(await contents(before.directory)).toEqual(kept);
  });

  test.each([
    ['noticed before', 'size=4k', /free; the archives need at least/],
    ['noticed while packing', 'size=40k', /^The disk became full while archives were packed/],
  ])('a full disk, %s: one error, and nothing half-done', async (_, room, error) => {
    const nix = await stores.newStore();
    const directory = await mkdtemp(join(scratch, 'small-'));
    await context.exec('mount', ['-t', 'tmpfs', '-o', room, 'small', directory]);
    try {
      const built = await stores.build(nix, 'web1', randomBytes(75_000).toString('base64'));
      await expect(archive([built], { ...config(''), directory }, nix, context, null)).rejects.toThrow(error);
      expect(await readdir(directory)).toEqual([]);
    } finally {
      await context.exec('umount', [directory]);
    }
  });

  test('nothing is packed for kind none, or for hosts that failed to build', async () => {
    const nix = await stores.newStore();
    const failed: Built = {
      ...(await stores.build(nix, 'web1')),
      ok: false,
      failure: { message: '', drvPath: null, log: '', place: null },
    };
    expect(await archive([failed], config('nothing'), nix, context, null)).toEqual([]);
    expect(
      await archive([await stores.build(nix, 'web1')], config('none', { archive: 'none' }), nix, context, null),
    ).toEqual([]);
  });
});
