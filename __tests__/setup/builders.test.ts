import { expect, test } from '@jest/globals';
import { builderFiles, machinesLines, parseBuilders } from '../../src/setup/builders.ts';

const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJd0';
const base64 = Buffer.from(`${hostKey} root@builder\n`).toString('base64');
const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----';

test("Nix's machines format, all columns, several machines, comments", () => {
  const builders = parseBuilders(
    `# ours\nssh://nix@10.0.0.2:2222 aarch64-linux,armv7l-linux /root/key 4 2 kvm,big-parallel kvm ${base64}; slave x86_64-linux - - - - - ${base64}`,
  );
  expect(builders).toEqual([
    {
      protocol: 'ssh',
      address: '10.0.0.2',
      user: 'nix',
      port: 2222,
      systems: ['aarch64-linux', 'armv7l-linux'],
      key: { file: '/root/key' },
      hostKey,
      jobs: 4,
      speed: 2,
      features: ['kvm', 'big-parallel'],
      mandatoryFeatures: ['kvm'],
    },
    {
      protocol: 'ssh-ng',
      address: 'slave',
      user: null,
      port: null,
      systems: ['x86_64-linux'],
      key: null,
      hostKey,
      jobs: 1,
      speed: 1,
      features: [],
      mandatoryFeatures: [],
    },
  ]);
  expect(machinesLines(builders)).toEqual([
    'ssh://10.0.0.2 aarch64-linux,armv7l-linux - 4 2 kvm,big-parallel kvm -',
    'ssh-ng://slave x86_64-linux - 1 1 - - -',
  ]);
});

test('YAML, one mapping or a list, with the key as text', () => {
  const yaml = `- host: root@[fd00::2]:3022\n  systems: aarch64-linux\n  jobs: 2\n  host-key: "[fd00::2]:3022 ${hostKey}"\n  key: |\n${key.replaceAll(/^/gm, '    ')}\n`;
  const [builder] = parseBuilders(yaml);
  expect(builder).toMatchObject({
    address: 'fd00::2',
    port: 3022,
    user: 'root',
    jobs: 2,
    hostKey,
    key: { text: `${key}\n` },
  });
  expect(parseBuilders(yaml.replace('- host', '  host'))).toEqual([builder]);
});

test('the files pin the host key, name the key and distinguish equal addresses', () => {
  const builders = parseBuilders(
    JSON.stringify([
      { host: 'docker', port: 3022, systems: ['aarch64-linux'], key, 'host-key': hostKey },
      { host: 'docker', port: 3023, systems: ['x86_64-linux'], 'host-key': hostKey },
    ]),
  );
  const files = builderFiles(builders, '/run/x/keys');
  expect(files.known_hosts).toBe(`builder-1 ${hostKey}\nbuilder-2 ${hostKey}\n`);
  expect(files.machines).toContain('ssh-ng://builder-2 x86_64-linux');
  expect(files['key-1']).toBe(`${key}\n`);
  expect(files.ssh_config).toContain(
    'Host builder-1\n  HostName docker\n  HostKeyAlias builder-1\n  Port 3022\n  IdentityFile "/run/x/keys/key-1"',
  );
  expect(files.ssh_config).toContain('StrictHostKeyChecking yes');
  expect(files.ssh_config).not.toContain('abc');
});

test.each<[string, RegExp]>([
  ['ssh://b aarch64-linux', /'builders': b has no host key/],
  [`ssh://b - - 1 1 - - ${base64}`, /b has no system/],
  [`ssh://b aarch64-linux key 1 1 - - ${base64}`, /key-file of b is not an absolute path/],
  [`ssh://-oProxyCommand=x aarch64-linux - 1 1 - - ${base64}`, /the host '\S+' is not an address/],
  [`ssh://b aarch64-linux - many 1 - - ${base64}`, /jobs of b is not a positive number/],
  ['- host: b\n  sistems: [x]', /unknown field 'sistems'/],
  ['- host: b\n  systems: [aarch64-linux]\n  host-key: nonsense', /host-key of b is not a host key/],
  [`- host: b\n  systems: [aarch64-linux]\n  key: hello\n  host-key: ${hostKey}`, /key of b is not a private SSH key/],
  ['- just text', /an entry is not a mapping/],
])('refused: %j', (text, message) => {
  expect(() => parseBuilders(text)).toThrow(message);
});
