import { describe, expect, test } from '@jest/globals';
import { UserError } from '../src/errors.ts';
import { inputsOfRunner, namesOf, readInputs } from '../src/inputs.ts';
import { inputsOfStep } from '../src/step.ts';

const called = (name: string): string => `input '${name}'`;
const read = (given: Record<string, string>) => readInputs(given, called);

function refusal(given: Record<string, string>): string {
  try {
    read(given);
  } catch (error) {
    if (error instanceof UserError) return [error.message, error.cure ?? ''].join(' ').trim();
    throw error;
  }
  throw new Error('was taken');
}

describe('an error names the input, the valid values and the most similar one', () => {
  test.each([
    [
      { mode: 'swich' },
      "input 'mode': 'swich' is not one of none, preview, dry-activate, secrets, test, boot, switch. Did you mean switch?",
    ],
    [{ archiv: 'full' }, "There is no input 'archiv'. Did you mean input 'archive'?"],
    [{ parallel: '0' }, "input 'parallel': '0' is not a whole number from 1 to 1000."],
    [{ parallel: '1e3' }, "input 'parallel': '1e3' is not a whole number from 1 to 1000."],
    [{ canary: '150%' }, "input 'canary': '150%' is not a number of targets, such as 1, or a percentage, such as 10%."],
    [
      { system: 'arm' },
      "input 'system': 'arm' is not a system that NixOS runs on. Write for example `x86_64-linux`, `aarch64-linux` or `armv7l-linux`.",
    ],
    [{ 'include-source': 'maybe' }, "input 'include-source': 'maybe' is not true or false."],
    [
      { 'health-timeout': '2 days' },
      "input 'health-timeout': '2 days' is not a time from 1 second to 24 hours. Write seconds, or a number with a unit: 30, 30s, 5m or 1h.",
    ],
    [{ targets: '- a' }, "input 'targets': not a mapping. Write a line `host: user@address:port` for each host."],
    [{ targets: 'pi: root@-oProxyCommand=x' }, 'targets.pi is "root@-oProxyCommand=x". Write `user@address:port`.'],
    [{ targets: 'pi: { port: 70000 }' }, 'targets.pi.port is 70000. Write a number from 1 to 65535.'],
    [{ targets: 'pi: {' }, "input 'targets': not valid YAML: "],
    [{ arguments: 'domain' }, "input 'arguments': not a mapping. Write a line `name: value` for each argument."],
  ])('%j', (given, message) => {
    expect(refusal(given).slice(0, message.length)).toBe(message);
  });

  test('if no name is similar, all are listed', () => {
    expect(refusal({ zzzzzzzz: '1' })).toContain('Accepted: source, format,');
  });

  test('a comment without a token says which permission is missing', () => {
    expect(refusal({ comment: 'true' })).toContain('pull-requests: write');
  });
});

describe('valid inputs', () => {
  test('targets are left for the plan to combine with the source', () => {
    expect(
      read({ targets: 'pi: root@192.0.2.1:2222\nweb: { address: web.example, tags: [web] }' }).plan.targets,
    ).toEqual({
      pi: 'root@192.0.2.1:2222',
      web: { address: 'web.example', tags: ['web'] },
    });
  });

  test('arguments, in YAML or in JSON, with their kinds', () => {
    const values = { domain: 'example.org', count: 3, text: '3', debug: true, more: ['a'] };
    expect(
      read({ arguments: 'domain: example.org\ncount: 3\ntext: "3"\ndebug: true\nmore: [a]' }).plan.arguments,
    ).toEqual(values);
    expect(read({ arguments: JSON.stringify(values) }).plan.arguments).toEqual(values);
  });

  test('hosts are separated by commas or newlines', () => {
    expect(read({ hosts: 'a, web-*\n@pi\n\n!b,' }).plan.hosts).toEqual(['a', 'web-*', '@pi', '!b']);
  });

  test('times are in seconds, shares in hosts or percent', () => {
    const { deploy } = read({ 'confirm-timeout': '2m', canary: '25%' });
    expect([deploy.confirmTimeout, deploy.canary]).toEqual([120, { part: 0.25 }]);
  });

  test('the defaults are valid, and an empty input is its default', () => {
    expect(read({ mode: '', hosts: ' ' })).toEqual(read({}));
    expect(read({}).deploy.mode).toBe('none');
  });

  test("a secret's text keeps its last newline, without which OpenSSH refuses a key", () => {
    expect(read({ 'deploy-key': 'x\n' }).deploy.deployKey).toBe('x\n');
  });
});

test('the runner passes inputs in upper case, with dashes', () => {
  expect(inputsOfRunner({ 'INPUT_KNOWN-HOSTS': 'x', INPUT_MODE: '', PATH: '/bin' })).toEqual({ 'known-hosts': 'x' });
});

test('an input that several stages get has the same value in each', () => {
  const { archive, fetch, plan, report, setup } = read({ 'signing-key': 'k', 'github-token': 't', hosts: 'a' });
  expect([setup.signingKey, archive.signingKey]).toEqual(['k', 'k']);
  expect([setup.githubToken, fetch.githubToken, report.githubToken]).toEqual(['t', 't', 't']);
  expect([plan.hosts, fetch.hosts]).toEqual([['a'], ['a']]);
});

test('names that users write', () => {
  expect(namesOf('archive')).toEqual(['archive', 'include-source', 'signing-key']);
  expect(inputsOfStep.setup).not.toContain('signing-key');
  expect(inputsOfStep.run).not.toContain('from');
});

test.each([[{}], [{ 'allow-unsigned': 'false' }]])(
  'archives of which nothing says who made them are an error: %j',
  more => {
    expect(() => read({ from: '7', ...more })).toThrow(
      expect.objectContaining({
        where: { input: 'trusted-public-keys' },
        cure: expect.stringContaining('`allow-unsigned`'),
      }),
    );
  },
);

test.each([[{ 'trusted-public-keys': 'a:b' }], [{ 'signing-key': 'a:b' }], [{ 'allow-unsigned': 'true' }]])(
  'archives are deployed with %j',
  more => {
    expect(read({ from: '7', ...more }).fetch.from).toEqual({ run: 7 });
  },
);

test('allow-unsigned contradicts keys', () => {
  expect(() => read({ from: '7', 'trusted-public-keys': 'a:b', 'allow-unsigned': 'true' })).toThrow('contradicts');
});
