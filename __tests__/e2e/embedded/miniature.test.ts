import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CommandError } from '../../../src/errors.ts';
import { embeddedFleet } from '../support/embedded.ts';
import { root } from '../support/machine.ts';
import { Runner } from '../support/runner.ts';

let runner: Runner;
const here = import.meta.dirname;

beforeAll(async () => {
  const readOnly = {
    [await embeddedFleet()]: '/mnt/fleet',
    [root('nix-2.8')]: '/opt/nix/2.8',
    [root('nix-2.34')]: '/opt/nix/2.34',
  };
  runner = await Runner.start({ nix: '2.26', emulates: true, readOnly });
  await runner.checkout('/mnt/fleet');
});
afterAll(() => runner.stop());

const settings = {
  NIX_CONFIG: 'experimental-features = nix-command flakes\nextra-platforms = aarch64-linux\nsubstituters =',
};

async function says(...argv: string[]): Promise<string> {
  return (await runner.run(argv, { env: settings })).stdout.trim();
}

describe('the embedded fleet', () => {
  const toplevels =
    'builtins.mapAttrs (_: host: { inherit (host.config.system.build.toplevel) drvPath system; out = host.config.system.build.toplevel.outPath; })';
  const evaluate = async (version: string): Promise<Record<string, { drvPath: string; out: string; system: string }>> =>
    JSON.parse(
      await says(`/opt/nix/${version}/bin/nix`, 'eval', '--json', '.#nixosConfigurations', '--apply', toplevels),
    );

  test('evaluates purely, to the same derivations with every version of Nix', async () => {
    const [oldest, present, newest] = [await evaluate('2.8'), await evaluate('2.26'), await evaluate('2.34')];
    expect(present).toEqual(oldest);
    expect(newest).toEqual(oldest);
    expect(oldest.server?.system).toBe('x86_64-linux');
    expect(oldest.router?.system).toBe('aarch64-linux');
  });

  test('does not depend on other files in the repository', async () => {
    const before = await evaluate('2.26');
    await says('sh', '-c', 'echo more > unrelated && git add unrelated');
    expect(await evaluate('2.26')).toEqual(before);
  });

  test('builds both hosts, with programs for their processors', async () => {
    const hosts = await evaluate('2.26');
    for (const [name, machine] of [
      ['server', 'x86_64'],
      ['router', 'aarch64'],
    ] as const) {
      const out = hosts[name]?.out ?? '';
      await says('nix', 'build', '--no-link', `.#nixosConfigurations.${name}.config.system.build.toplevel`);
      expect(await says(`${out}/sw/bin/uname`, '-m')).toBe(machine);
      expect(await says(`${out}/sw/bin/hello`)).toBe('Hello, world!');
      expect(await says('cat', `${out}/system`)).toBe(`${machine}-linux`);
      const files = (await says('ls', out)).split('\n');
      expect(files).toEqual(
        expect.arrayContaining([
          'activate',
          'bin',
          'etc',
          'init',
          'kernel',
          'kernel-params',
          'nixos-version',
          'sw',
          'system',
        ]),
      );
    }
    const closures = await Promise.all(
      ['server', 'router'].map(async name => (await says('nix-store', '-qR', hosts[name]?.out ?? '')).split('\n')),
    );
    const shared = closures[0]?.filter(path => closures[1]?.includes(path)) ?? [];
    expect(shared.some(path => path.endsWith('-tzdata'))).toBe(true);
    // Build tools are not part of the closure.
    expect(closures.flat().some(path => path.includes('bootstrap'))).toBe(false);
  });

  test('evaluates an option, as "NixOS in production" does', async () => {
    await runner.run([
      'sh',
      '-c',
      'echo \'import ./nixpkgs/nixos { configuration = ./hosts/server.nix; system = "x86_64-linux"; }\' > nixos.nix',
    ]);
    const ports = await says(
      'nix-instantiate',
      '--eval',
      '--strict',
      '--json',
      'nixos.nix',
      '-A',
      'config.networking.firewall.allowedTCPPorts',
    );
    expect(JSON.parse(ports)).toEqual([22, 8787]);
  });

  test('says how to get its busybox if that is missing', async () => {
    await runner.run(['sh', '-c', 'cp -R . /tmp/bare && rm -rf /tmp/bare/nixpkgs/bootstrap']);
    const failure = await failing(
      'nix-instantiate',
      '/tmp/bare/nixpkgs',
      '-A',
      'hello',
      '--argstr',
      'system',
      'aarch64-linux',
    );
    expect(failure).toContain('bootstrap/aarch64-linux/busybox is missing: run `fetch-bootstrap.sh');
  });

  test('gets its busyboxes from the distribution, without root and without changing the state of apt', async () => {
    const before = await says(
      'sh',
      '-c',
      'dpkg --print-foreign-architectures; sudo ls -lR /var/lib/apt /var/cache/apt /etc/apt',
    );
    await says('sh', '/mnt/fleet/fetch-bootstrap.sh', '/tmp/bootstrap');
    for (const [system, machine] of Object.entries({ 'x86_64-linux': 'x86_64', 'aarch64-linux': 'aarch64' })) {
      expect(await says(`/tmp/bootstrap/${system}/busybox`, 'uname', '-m')).toBe(machine);
    }
    expect(
      await says('sh', '-c', 'dpkg --print-foreign-architectures; sudo ls -lR /var/lib/apt /var/cache/apt /etc/apt'),
    ).toBe(before);
  });
});

describe('its modules', () => {
  const modules = ['--arg', 'nixpkgs', './nixpkgs', '/mnt/miniature/modules.nix'];
  beforeAll(async () => {
    await runner.run(['sudo', 'mkdir', '-p', '/mnt/miniature']);
    await runner.run(['sudo', 'sh', '-c', `cp ${here}/../support/fixtures/miniature/*.nix /mnt/miniature`]);
  });

  test('support overlays, overrides, callPackage and symlinkJoin', async () => {
    const out = await says(
      'nix-build',
      '--no-out-link',
      '--arg',
      'nixpkgs',
      './nixpkgs',
      '/mnt/miniature/packages.nix',
    );
    expect(await says('cat', out)).toBe('Hello, world!\n2\n!');
  });

  test('merge as in NixOS', async () => {
    expect(
      JSON.parse(await says('nix-instantiate', '--eval', '--strict', '--json', ...modules, '-A', 'values')),
    ).toEqual({
      priorities: 3,
      default: 4,
      lists: [1, 2, 3],
      lines: 'only',
      submodules: { ada: { name: 'ada', groups: ['wheel'] }, ben: { name: 'ben', groups: [] } },
      conditionOverMany: { a: 1, b: true },
      imports: { once: 21, twice: 42 },
      typesOfBothDeclarations: { ada: { name: 'ada', groups: [], shell: 'sh' } },
      freeform: { known: 'here', other: 5 },
      nullable: null,
      either: 'text',
      coerced: 8,
    });
  });

  test.each([
    [
      'wrongType',
      "A definition for option `o' is not of type `signed integer'. Definition values:\n- In `hosts/web.nix': \"text\"",
    ],
    ['unknown', "The option `servcies' does not exist. Definition values:\n- In `hosts/web.nix'"],
    ['conflict', "The option `o' has conflicting definition values"],
    ['missing', "The option `o' was accessed but has no value defined"],
    ['notInEnum', 'is not of type `one of "a", "b"\''],
    ['readOnly', "The option `o' is read-only, but it's set multiple times"],
    ['mixed', "has an unsupported attribute `o'"],
    ['port', '16 bit unsigned integer; between 0 and 65535'],
    ['recursion', 'infinite recursion encountered'],
    ['assertion', 'Failed assertions:\n- two is not one'],
    ['noSystem', 'Neither nixpkgs.hostPlatform nor the legacy option nixpkgs.system has been set'],
    ['otherSystem', "unsupported system `riscv64-linux'"],
  ])('%s is an error that says what and where', async (name, message) => {
    const failure = await failing('nix-instantiate', '--eval', '--strict', ...modules, '-A', `errors.${name}`);
    // Nix indents the following lines of an error.
    expect(failure.replaceAll(/\n\s+/g, '\n')).toContain(message);
  });
});

async function failing(...argv: string[]): Promise<string> {
  const failure = await says(...argv).then(
    () => null,
    error => error,
  );
  if (!(failure instanceof CommandError)) throw new Error(`${argv.join(' ')} did not fail`);
  return stripVTControlCharacters(failure.stderr);
}
