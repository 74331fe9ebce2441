import { describe, expect, test } from '@jest/globals';
import { ownOptions, renderSshConfig } from '../../src/deploy/ssh-config.ts';
import type { Target } from '../../src/plan/fleet.ts';

const root: Target = {
  address: 'web.example.com',
  port: null,
  user: 'root',
  privilegeEscalation: [],
  sshOptions: [],
  sshOptionsFrom: 'targets',
  substituteOnDestination: false,
};
const paths = { agent: '/s/agent', knownHosts: '/s/known_hosts', control: '/s/c' };

function render(
  target: Partial<Target>,
  agent: string | null = '/s/agent',
): { block: string[]; warnings: string[]; text: string } {
  const warnings: string[] = [];
  const aliased = [{ alias: 'target-0', host: 'web', target: { ...root, ...target } }];
  const text = renderSshConfig(aliased, { ...paths, agent }, warning => warnings.push(warning));
  const lines = text.split('\n').map(line => line.trim());
  const from = lines.indexOf('Host target-0');
  return { block: lines.slice(from + 1, lines.indexOf('', from)), warnings, text };
}

const shared = ['ControlMaster auto', 'ControlPath /s/c/%n', 'ControlPersist 60'];

test.each<[Partial<Target>, string[]]>([
  [{}, ['HostName web.example.com', 'User root', ...shared]],
  [{ port: 2222 }, ['HostName web.example.com', 'User root', 'Port 2222', ...shared]],
  [{ address: '[2001:db8::7]' }, ['HostName 2001:db8::7', 'User root', ...shared]],
  [{ address: 'fe80::1%eth0', user: 'deploy' }, ['HostName fe80::1%%eth0', 'User deploy', ...shared]],
  [
    { sshOptions: ['-p', '22', '-oProxyJump=bastion', '-o', 'SendEnv LANG', '-i', '/my keys/id', '-A', '-q', '-6'] },
    [
      ...['HostName web.example.com', 'User root', ...shared],
      ...[
        'Port 22',
        'ProxyJump bastion',
        'SendEnv LANG',
        'IdentityFile "/my keys/id"',
        'ForwardAgent yes',
        'AddressFamily inet6',
      ],
    ],
  ],
])('%j', (target, block) => {
  expect(render(target).block).toEqual(block);
});

test('options that would accept any host key are ignored with a warning', () => {
  const { text, warnings } = render({
    sshOptions: ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
  });
  expect(text).not.toContain('StrictHostKeyChecking no');
  expect(text.match(/UserKnownHostsFile/g)).toHaveLength(1);
  expect(warnings).toEqual([
    expect.stringContaining('StrictHostKeyChecking'),
    expect.stringContaining('UserKnownHostsFile'),
  ]);
});

test('pinned options come before those of a host, since ssh uses the first value', () => {
  const { text } = render({});
  const head = text.slice(0, text.indexOf('Host target-0'));
  for (const line of [
    'StrictHostKeyChecking yes',
    'UserKnownHostsFile /s/known_hosts',
    'GlobalKnownHostsFile /dev/null',
    'BatchMode yes',
  ]) {
    expect(head.split('\n')).toContain(line);
  }
});

test("without a deploy key, the user's own agent and keys are used", () => {
  expect(render({}, null).text).not.toMatch(/IdentityAgent|IdentityFile/);
  expect(render({}).text).toMatch(/IdentityAgent \/s\/agent[\s\S]*IdentityFile none/);
});

test("without pinned keys, the user's own settings for the address are used, and checked as strictly", () => {
  const printed = [
    ...['user me', 'hostname 192.0.2.9', 'port 2222', 'proxyjump bastion', 'stricthostkeychecking no'],
    ...['identityfile ~/.ssh/id', 'controlmaster auto', 'userknownhostsfile ~/.ssh/known_hosts', 'identityagent none'],
  ];
  const aliased = { alias: 'target-0', host: 'web', target: root, own: ownOptions(printed.join('\n')) };
  const own = { ...paths, knownHosts: null };
  const render = (agent: string | null): string[] =>
    renderSshConfig([aliased], { ...own, agent }, () => undefined)
      .split('\n')
      .map(line => line.trim());
  const lines = render(null);
  expect(lines[0]).toBe('StrictHostKeyChecking yes');
  expect(lines.slice(lines.indexOf('Host target-0') + 1, lines.indexOf('Host *') - 1)).toEqual([
    ...['User root', ...shared, 'hostname 192.0.2.9', 'port 2222', 'proxyjump bastion', 'identityfile ~/.ssh/id'],
    'userknownhostsfile ~/.ssh/known_hosts',
  ]);
  expect(lines).not.toContain('GlobalKnownHostsFile /dev/null');
  expect(lines).toContain('Include ~/.ssh/config');
  expect(render('/s/agent')).not.toContain('identityfile ~/.ssh/id');
});

test.each<[Partial<Target>, string]>([
  [{ address: 'web\n  ProxyCommand evil' }, 'neither a host name nor an IP address'],
  [{ address: '-oProxyCommand=evil' }, 'neither a host name nor an IP address'],
  [{ address: 'web example' }, 'neither a host name nor an IP address'],
  [{ address: '' }, 'neither a host name nor an IP address'],
  [{ user: 'root\nMatch all' }, 'is not a valid user name'],
  [{ user: '-l' }, 'is not a valid user name'],
  [{ port: 0 }, 'is not a valid port'],
  [{ port: 70000 }, 'is not a valid port'],
  [{ sshOptions: ['-o', 'SetEnv=A=b\nProxyCommand evil'] }, 'line break'],
  [{ sshOptions: ['-o'] }, 'has no argument'],
  [{ sshOptions: ['-F', '/etc/other'] }, 'not supported'],
  [{ sshOptions: ['otherhost'] }, 'not supported'],
  [{ sshOptions: ['-o', '=x'] }, 'is invalid'],
])('refused: %j', (target, why) => {
  expect(() => render(target)).toThrow(why);
});

describe('options that the source sets', () => {
  test.each([
    [['-p', '22', '-4', '-C', '-l', 'deploy']],
    [['-o', 'ConnectTimeout=5', '-oKexAlgorithms=+diffie-hellman-group14-sha1', '-o', 'IPQoS af21 cs1']],
    [['-J', 'root@bastion:2222,[2001:db8::7]:22']],
    [['-o', 'ProxyJump=ssh://jump.example.com']],
  ])('%j pass', words => {
    expect(() => render({ sshOptions: words, sshOptionsFrom: 'source' })).not.toThrow();
  });

  test.each<[string[], string]>([
    [['-o', 'ProxyCommand=touch /tmp/x'], 'ProxyCommand'],
    [['-o', 'proxycommand=touch /tmp/x'], 'proxycommand'],
    [['-o', 'Match exec "touch /tmp/x"'], 'Match'],
    [['-o', 'Include /tmp/x'], 'Include'],
    [['-o', 'Host *'], 'Host'],
    [['-o', 'PKCS11Provider=/tmp/x.so'], 'PKCS11Provider'],
    [['-o', 'SecurityKeyProvider=/tmp/x.so'], 'SecurityKeyProvider'],
    [['-o', 'LocalCommand=touch /tmp/x', '-o', 'PermitLocalCommand=yes'], 'LocalCommand'],
    [['-o', 'RemoteCommand=sh'], 'RemoteCommand'],
    [['-o', 'SendEnv=*'], 'SendEnv'],
    [['-o', 'XAuthLocation=/tmp/x'], 'XAuthLocation'],
    [['-A'], 'ForwardAgent'],
    [['-i', '/etc/ssh/ssh_host_ed25519_key'], 'IdentityFile'],
    [['-J', '-oProxyCommand=x'], 'the value "-oProxyCommand=x" for the SSH option ProxyJump'],
    [['-J', '$(touch /tmp/x)'], 'ProxyJump'],
    [['-J', "x';touch /tmp/x;'@bastion"], 'ProxyJump'],
    [['-J', '`id`'], 'ProxyJump'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: ssh replaces it by a variable
    [['-o', 'HostKeyAlias=${HOME}'], 'HostKeyAlias'],
  ])('%j is an error that says how to set it', (words, named) => {
    const settings = { sshOptions: words, sshOptionsFrom: 'source' } as const;
    expect(() => render(settings)).toThrow(named);
    expect(() => render(settings)).toThrow(
      expect.objectContaining({ cure: expect.stringContaining(JSON.stringify({ web: { sshOptions: words } })) }),
    );
  });
});
