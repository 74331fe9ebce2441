import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Archive, type ArchiveConfig, archive, readArchive, verifyArchive } from '../../src/archive/index.ts';
import type { Built } from '../../src/build/built.ts';
import type { Context } from '../../src/context.ts';
import { exec } from '../../src/exec.ts';
import { Nix } from '../../src/nix/index.ts';
import type { HostNix } from '../../src/plan/fleet.ts';

/*
 * Real Nix, in stores of their own below a temporary directory, with closures made by `builtins.toFile`: they refer to
 * each other as real ones do and need no builder.
 */
let scratch: string;
const logged: string[] = [];
let context: Context;
let secretKey: string;
let publicKey: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'archive-test-'));
  const log = (message: string): void => void logged.push(message);
  context = {
    exec,
    log: { debug: log, info: log, notice: log, warning: log, error: log, secret: () => undefined },
    progress: event => void logged.push(event.text),
    signal: new AbortController().signal,
    scratch,
  };
  ({ secret: secretKey, public: publicKey } = await newKey('fleet-1'));
});
afterAll(async () => {
  await exec('chmod', ['-R', 'u+w', scratch]);
  await rm(scratch, { recursive: true });
});

async function newKey(name: string): Promise<{ secret: string; public: string }> {
  const nix = new Nix(exec, { bin: null, version: '', env: {} });
  const secret = (await nix.run('nix', ['key', 'generate-secret', '--key-name', name])).stdout.trim();
  const converted = await nix.run('nix', ['key', 'convert-secret-to-public'], { input: secret });
  return { secret, public: converted.stdout.trim() };
}

/** An empty store of its own. */
async function newStore(): Promise<Nix> {
  const root = await mkdtemp(join(scratch, 'store-'));
  const version = (await exec('nix', ['--version'])).stdout.trim().split(' ').at(-1) ?? '';
  await mkdir(join(root, 'nix/store'), { recursive: true });
  return new Nix(exec, { bin: null, version, env: { NIX_REMOTE: `local?root=${root}` } });
}

function rootOf(nix: Nix): string {
  return nix.installation.env.NIX_REMOTE?.split('=')[1] as string;
}

/** A host whose closure is a system, its configuration and 40 packages, which are the same for every host. */
async function build(nix: Nix, host: string, text = 'as it was', hostNix: HostNix | null = null): Promise<Built> {
  const file = join(scratch, 'closure.nix');
  await writeFile(
    file,
    `{ host, text }: let
      libc = builtins.toFile "libc" "no references";
      package = n: builtins.toFile "package-\${toString n}" "\${libc} \${toString n}";
      packages = map package (builtins.genList (n: n) 40);
      configuration = builtins.toFile "configuration-\${host}" text;
    in builtins.toFile "nixos-system-\${host}" (toString (packages ++ [ configuration ]))`,
  );
  const args = ['--eval', '--read-write-mode', '--json', file, '--argstr', 'host', host, '--argstr', 'text', text];
  const drafts = await newStore();
  const toplevel = JSON.parse((await drafts.run('nix-instantiate', args)).stdout) as string;
  // Nix asks for no signature of what is content-addressed, as these files are. The registration that nix-store dumps
  // does not say so: loaded elsewhere, they are like any built path.
  const { stdout: registration } = await drafts.run('nix-store', ['--dump-db']);
  await exec('cp', ['-a', '-n', join(rootOf(drafts), 'nix/store'), join(rootOf(nix), 'nix')]);
  await nix.run('nix-store', ['--load-db'], { input: registration });
  const closure = await nix.closure([toplevel]);
  return {
    ok: true,
    toplevel,
    closure,
    closureBytes: closure.reduce((sum, { narSize }) => sum + narSize, 0),
    builtDerivations: 0,
    host: {
      name: host,
      system: 'x86_64-linux',
      toplevel: { drvPath: '', outPath: toplevel },
      target: null,
      tags: [],
      buildOnly: false,
      healthChecks: { cmd: [], http: [] },
      preDeployChecks: { cmd: [], http: [] },
      secrets: [],
      nixpkgs: null,
      nix: hostNix,
    } as Extract<Built, { ok: true }>['host'],
  };
}

const config = (directory: string, rest: Partial<ArchiveConfig> = {}): ArchiveConfig => ({
  kind: 'full',
  directory: join(scratch, directory),
  signingKey: null,
  includeSource: false,
  provenance: { commit: 'c'.repeat(40), repository: 'someone/fleet', run: null, producer: 'nix-ferry test' },
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
  const here = await newStore();
  const built = await build(here, 'web1');
  const made = await one(built, config('plain'), here);
  const there = await newStore();
  await there.run('nix', ['copy', '--no-check-sigs', '--from', `file://${made.directory}`, made.toplevel]);
  const hashes = (infos: { path: string; narHash: string }[]) =>
    infos.map(({ path, narHash }) => `${path} ${narHash}`).sort();
  expect(hashes(await there.closure([made.toplevel]))).toEqual(hashes(await here.closure([made.toplevel])));
  expect(made).toMatchObject({ paths: 43, closurePaths: 43, insideBytes: made.closureBytes });
});

test('two runs in two clean stores make the same bytes', async () => {
  const stores = [await newStore(), await newStore()];
  const made = await Promise.all(
    stores.map(async (nix, index) => {
      const of = config(`run-${index}`, { signingKey: secretKey });
      return one(await build(nix, 'web1'), { ...of, provenance: { ...of.provenance, run: `run ${index}` } }, nix);
    }),
  );
  const [first, second] = await Promise.all(made.map(({ directory }) => contents(directory)));
  expect(Object.keys(first ?? {}).length).toBeGreaterThan(80);
  expect(second).toEqual(first);
  expect(made[1]?.digest).toBe(made[0]?.digest);
});

test('another commit of the same closure has the same digest; another closure has another', async () => {
  const nix = await newStore();
  const of = config('commits');
  const first = await one(await build(nix, 'web1'), of, nix);
  const later = { ...of, provenance: { ...of.provenance, commit: 'd'.repeat(40) } };
  expect((await one(await build(nix, 'web1'), later, nix)).digest).toBe(first.digest);
  expect((await one(await build(nix, 'web1', 'changed'), of, nix)).digest).not.toBe(first.digest);
});

test('hosts that share paths get archives of their own, and the shared paths are packed once', async () => {
  const nix = await newStore();
  const hosts = [await build(nix, 'web1'), await build(nix, 'web2')];
  const before = logged.length;
  const made = await archive(hosts, config('fleet'), nix, context, null);
  const single = await one(hosts[1] as Built, config('single'), nix);
  expect(await contents(made[1]?.directory ?? '')).toEqual(await contents(single.directory));
  expect(logged.slice(before)).toContain('packing path 43 of 43');
  for (const { directory } of made) await verifyArchive(directory, [], nix, context);
});

test('after a change of one file a delta holds only what changed', async () => {
  const nix = await newStore();
  const cache = await newKey('cache-1');
  const target = { substituters: ['https://cache.example'], trustedPublicKeys: [cache.public] };
  const first = await build(nix, 'web1');
  const changed = await build(nix, 'web1', 'one file changed', target);
  if (!first.ok || !changed.ok) throw new Error('not built');
  // As if the first had been fetched from a cache: signed, and not built here.
  const keyFile = join(scratch, 'cache-key');
  await writeFile(keyFile, cache.secret, { mode: 0o600 });
  await nix.run('nix', ['store', 'sign', '--recursive', '--key-file', keyFile, first.toplevel]);
  changed.closure = await nix.closure([changed.toplevel]);
  const delta = await one(changed, config('delta', { kind: 'delta' }), nix);
  const { manifest } = await readArchive(delta.directory, context);
  const inside = manifest.paths.filter(path => path.inside).map(({ path }) => path.slice(44));
  expect(inside.sort()).toEqual(['configuration-web1', 'nixos-system-web1']);
  expect(manifest.paths.filter(path => !path.inside).map(({ cache }) => cache)).toEqual(Array(41).fill('cache-1'));
  expect(delta.paths).toBe(2);
  await verifyArchive(delta.directory, [], nix, context);
  // A machine that has the old system gets the new one from it with Nix alone.
  const there = await newStore();
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

test('a signed archive is believed by who trusts the key, and by nobody else; the key is nowhere in it', async () => {
  const nix = await newStore();
  const made = await one(await build(nix, 'web1'), config('signed', { signingKey: `${secretKey}\n` }), nix);
  expect(made.publicKey).toBe(publicKey);
  expect(logged.join('\n')).toContain(publicKey);
  await verifyArchive(made.directory, [publicKey], nix, context);
  const stranger = await newKey('fleet-1');
  await expect(verifyArchive(made.directory, [stranger.public], nix, context)).rejects.toThrow(
    /web1 is refused.*untrusted/,
  );
  const files = await contents(made.directory);
  const half = secretKey.split(':')[1]?.slice(0, 40) as string;
  expect(Buffer.from(Object.values(files).join(''), 'base64').includes(half)).toBe(false);
  expect(logged.join('\n')).not.toContain(half);
  // A machine that trusts the key needs no --no-check-sigs, and refuses without it.
  const trusting = await newStore();
  const trust = ['--option', 'require-sigs', 'true', '--option', 'trusted-public-keys'];
  const copy = ['copy', '--from', `file://${made.directory}`, made.toplevel, ...trust];
  await expect(trusting.run('nix', [...copy, stranger.public])).rejects.toThrow(/signature/);
  await trusting.run('nix', [...copy, publicKey]);
});

test('an unsigned archive is refused where a signature is asked for', async () => {
  const nix = await newStore();
  const made = await one(await build(nix, 'web1'), config('unsigned'), nix);
  await expect(verifyArchive(made.directory, [publicKey], nix, context)).rejects.toThrow(/it is not signed/);
});

test.each([
  ['a key file that is no key', 'hello'],
  ['a key of the wrong length', 'name:aGVsbG8='],
])('%s: one error that does not repeat it', async (_, signingKey) => {
  const nix = await newStore();
  const made = one(await build(nix, 'web1'), config('badkey', { signingKey }), nix);
  await expect(made).rejects.toMatchObject({ name: 'UserError', where: { input: 'signing-key' } });
  await expect(made).rejects.not.toThrow(signingKey);
});

const tampering: [string, (file: string) => boolean, RegExp][] = [
  ['the manifest', file => file === '/manifest.json', /manifest\.json/],
  ['the sums', file => file === '/SHA256SUMS', /SHA256SUMS was changed/],
  ['the installer', file => file === '/install', /install was changed/],
  ['the script that activates', file => file === '/activate.sh', /activate\.sh was changed/],
  ['an entry of the cache', file => file.endsWith('.narinfo'), /refused/],
  ['the description of the cache', file => file === '/nix-cache-info', /nix-cache-info was changed/],
  ['a NAR', file => file.startsWith('/nar/'), /refused/],
];
test.each(tampering)('a bit flipped in %s is found, signed or not', async (name, which, message) => {
  const nix = await newStore();
  for (const signingKey of [null, secretKey]) {
    const made = await one(await build(nix, 'web1'), config('tampered', { signingKey }), nix);
    const file = Object.keys(await contents(made.directory)).filter(which)[0] as string;
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

test('a path or a NAR taken away is missed', async () => {
  const nix = await newStore();
  const made = await one(await build(nix, 'web1'), config('missing'), nix);
  for (const which of ['.narinfo', '.nar.zst']) {
    const copy = join(scratch, `missing${which}`);
    await cp(made.directory, copy, { recursive: true });
    const file = Object.keys(await contents(copy)).find(name => name.endsWith(which)) as string;
    await rm(join(copy, file));
    await expect(verifyArchive(copy, [], nix, context)).rejects.toThrow(/web1 is refused/);
  }
});

test("another host's archive, with its own valid signature, does not pass for this one's", async () => {
  const nix = await newStore();
  const hosts = [await build(nix, 'web1'), await build(nix, 'web2')];
  const made = await archive(hosts, config('swap', { signingKey: secretKey }), nix, context, null);
  const [first, second] = made.map(({ directory }) => join(directory, 'manifest.json'));
  await cp(second as string, first as string);
  await expect(verifyArchive(made[0]?.directory ?? '', [publicKey], nix, context)).rejects.toThrow(/refused/);
});

test('what is no archive is said to be none', async () => {
  await mkdir(join(scratch, 'empty'), { recursive: true });
  await expect(readArchive(join(scratch, 'empty'), context)).rejects.toThrow(
    /is not an archive: it has no manifest.json/,
  );
});

test('nothing is packed for kind none, or for hosts that failed to build', async () => {
  const nix = await newStore();
  const failed: Built = { ...(await build(nix, 'web1')), ok: false, failure: { message: '', drvPath: null, log: '' } };
  expect(await archive([failed], config('nothing'), nix, context, null)).toEqual([]);
  expect(await archive([await build(nix, 'web1')], config('none', { kind: 'none' }), nix, context, null)).toEqual([]);
});
