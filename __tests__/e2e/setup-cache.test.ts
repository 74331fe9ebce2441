import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Runner } from './testbed/runner.ts';
import { drive } from './testbed/setup.ts';

/** A key in Nix's form: its name, then the secret and the public half. */
function signingKey(name: string): { secret: string; public: string } {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const half = Buffer.from(x, 'base64url');
  const whole = Buffer.concat([Buffer.from(d, 'base64url'), half]);
  return { secret: `${name}:${whole.toString('base64')}`, public: `${name}:${half.toString('base64')}` };
}

const own = signingKey('fleet-1');
const publicCache = signingKey('public.example-1');
const cache = { directory: '/var/tmp/store-cache', service: '/var/tmp/service', trusted: true };
const nixConf = `substituters = file:///var/tmp/public\nextra-trusted-public-keys = ${publicCache.public}`;

/** `top` refers to `library`, which the public cache has, and needs `tool` only while it is built. */
const expression = (mark: string): string => `
  let
    sh = name: script: derivation { inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ]; };
    library = sh "library" "echo library >$out";
    tool = sh "tool" "echo tool >$out";
  in sh "top-${mark}" "read x <\${tool}; echo $x ${mark} \${library} >$out"`;
const library =
  'derivation { name = "library"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo library >$out" ]; }';
const top = (mark = 'a') => [{ name: 'top', system: 'x86_64-linux', expression: expression(mark) }];

let runner: Runner;
beforeAll(async () => {
  runner = await Runner.start({ name: 'cache', nix: '2.26' });
  const first = await drive(runner, {
    config: { nixConf: 'substituters =' },
    derivations: [{ name: 'library', system: 'x86_64-linux', expression: library }],
    end: 'teardown',
  });
  expect(first.error).toBeNull();
  await runner.machine.run(['sh', '-c', 'cat >/root/key'], { input: publicCache.secret });
  const nix = [`${runner.path.split(':')[0]}/nix`, '--extra-experimental-features', 'nix-command'];
  const to = 'file:///var/tmp/public?secret-key=/root/key';
  await runner.machine.run([...nix, 'copy', '--store', 'local', '--to', to, first.outputs[0] ?? '']);
  await runner.machine.run(['chmod', '-R', 'a+rX', '/var/tmp/public']);
});
afterAll(() => runner.stop());

/** A run on a machine whose store is empty. */
async function freshRun(derivations = top(), options: { trusted?: boolean; signingKey?: string | null } = {}) {
  await runner.machine.run(['sh', '-c', 'chmod -R u+w /nix/store; rm -rf /nix/store /nix/var /var/tmp/store-cache']);
  const answer = await drive(runner, {
    config: { nixConf, signingKey: options.signingKey === undefined ? own.secret : options.signingKey },
    derivations,
    cache: { ...cache, trusted: options.trusted ?? true },
    end: 'teardown',
  });
  expect(answer.error).toBeNull();
  return answer;
}

const service = (): string => runner.machine.path(cache.service);
const entries = (): string[] => readdirSync(service()).sort();
const pathsIn = (entry: string): string[] =>
  readdirSync(join(service(), entry))
    .filter(name => name.endsWith('.narinfo'))
    .map(name => /StorePath: \S{44}(\S+)/.exec(readFileSync(join(service(), entry, name), 'utf8'))?.[1] ?? '')
    .sort();

test('a run that must not reach others saves nothing, nor does one without a key', async () => {
  await freshRun(top(), { trusted: false });
  const { log } = await freshRun(top(), { signingKey: null });
  expect((await runner.run(['find', '/var/tmp', '-name', 'service'])).stdout).toBe('');
  expect(log.join('\n')).not.toContain('warning');
});

test('the first run builds and saves what the public cache has not, and only that', async () => {
  const { built } = await freshRun();
  expect(built.match(/building '.*-(?:top-a|tool)\.drv'/g)).toHaveLength(2);
  expect(entries()).toHaveLength(1);
  expect(pathsIn(entries()[0] ?? '')).toEqual(['tool', 'top-a']);
  const texts = readdirSync(join(service(), entries()[0] ?? ''))
    .filter(name => name.endsWith('.narinfo'))
    .map(name => readFileSync(join(service(), entries()[0] ?? '', name), 'utf8'));
  expect(texts.join('')).not.toContain('public.example-1');
});

test('the second run builds nothing, and saves nothing', async () => {
  const { built, log } = await freshRun();
  expect(built).not.toContain('building ');
  expect(built).toContain("from 'file:///var/tmp/store-cache'");
  expect(log.join('\n')).toContain('Nothing was built that the store cache has not.');
  expect(entries()).toHaveLength(1);
});

test('a changed fleet takes what it still needs from the last entry, and saves another', async () => {
  const { built } = await freshRun(top('b'));
  expect(built.match(/building '.*'/g)).toHaveLength(1);
  expect(entries()).toHaveLength(2);
});

test('an entry with a bad signature is ignored with a warning', async () => {
  for (const entry of entries())
    change(entry, /^(Sig: \S+?:)(.)/m, (_all, head, first) => head + (first === 'A' ? 'B' : 'A'));
  const { built, log } = await freshRun();
  expect(log.join('\n')).toMatch(/warning: The store cache holds \d paths without a signature that is trusted here/);
  expect(built).toContain("top-a.drv'");
  expect(built).not.toContain("from 'file:///var/tmp/store-cache'");
});

test('an entry that names other content than it was signed for is ignored with a warning', async () => {
  await runner.machine.run(['rm', '-rf', cache.service]);
  await freshRun();
  change(entries()[0] ?? '', /^NarSize: (\d+)$/m, (_all, size) => `NarSize: ${Number(size) + 8}`);
  const { log } = await freshRun();
  expect(log.join('\n')).toMatch(/warning: The store cache holds \d paths without a signature/);
});

test('an entry whose files are damaged fails nothing: what it has not is built', async () => {
  await runner.machine.run(['rm', '-rf', cache.service]);
  await freshRun();
  await runner.machine.run(['sh', '-c', `for f in ${cache.service}/*/nar/*; do echo damaged >"$f"; done`]);
  const { built } = await freshRun();
  expect(built.match(/building '.*-(?:top-a|tool)\.drv'/g)).toHaveLength(2);
});

test('a service that fails is a warning', async () => {
  await runner.machine.run(['sh', '-c', `rm -rf ${cache.service}; echo >${cache.service}`]);
  const { log } = await freshRun();
  expect(log.join('\n')).toMatch(/warning: The store cache is not (used|saved)/);
});

/** What an attacker, or a bad disk, would do to the entry. */
function change(entry: string, what: RegExp, to: (...match: string[]) => string): void {
  for (const name of readdirSync(join(service(), entry)).filter(each => each.endsWith('.narinfo'))) {
    const file = join(service(), entry, name);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(what);
    writeFileSync(file, text.replace(what, to));
  }
}
