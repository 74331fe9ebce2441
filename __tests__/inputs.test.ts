import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { UserError } from '../src/errors.ts';
import { inputs, inputsOfRunner, readInputs } from '../src/inputs.ts';
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

describe('what is wrong is named, with what it takes and what was meant', () => {
  test.each([
    [
      { mode: 'swich' },
      "input 'mode' is 'swich', and takes none, dry-activate, test, boot, switch. Did you mean switch?",
    ],
    [{ archiv: 'full' }, "There is no input 'archiv'. Did you mean input 'archive'?"],
    [{ parallel: '0' }, "input 'parallel' is '0', and takes a whole number from 1 to 1000."],
    [{ parallel: '1e3' }, "input 'parallel' is '1e3', and takes a whole number from 1 to 1000."],
    [{ canary: '150%' }, "input 'canary' is '150%', and takes a number of targets, as 1, or a percentage, as 10%."],
    [{ 'include-source': 'maybe' }, "input 'include-source' is 'maybe', and takes true or false."],
    [
      { 'health-timeout': '2 days' },
      "input 'health-timeout' is '2 days', and takes a time from 1 second to 24 hours, as 30, 30s, 5m or 1h.",
    ],
    [{ targets: '- a' }, "input 'targets' is not a mapping. Write a line `host: user@address:port` for each host."],
    [{ targets: 'pi: root@-oProxyCommand=x' }, 'targets.pi is "root@-oProxyCommand=x". Write `user@address:port`.'],
    [{ targets: 'pi: { port: 70000 }' }, 'targets.pi.port is 70000. Write a number from 1 to 65535.'],
    [{ targets: 'pi: {' }, "input 'targets' is not YAML: "],
    [{ arguments: 'domain' }, "input 'arguments' is not a mapping. Write a line `name: value` for each argument."],
  ])('%j', (given, message) => {
    expect(refusal(given).slice(0, message.length)).toBe(message);
  });

  test('a word near none of the names lists them all', () => {
    expect(refusal({ zzzzzzzz: '1' })).toContain('There are: source, format,');
  });

  test('a comment without a token says which permission is missing', () => {
    expect(refusal({ comment: 'true' })).toContain('pull-requests: write');
  });
});

describe('what is right is read', () => {
  test('targets are left for the plan to lay over the source', () => {
    expect(read({ targets: 'pi: root@192.0.2.1:2222\nweb: { address: web.example, tags: [web] }' }).targets).toEqual({
      pi: 'root@192.0.2.1:2222',
      web: { address: 'web.example', tags: ['web'] },
    });
  });

  test('arguments, in YAML or in JSON, with their kinds', () => {
    const values = { domain: 'example.org', count: 3, text: '3', debug: true, more: ['a'] };
    expect(read({ arguments: 'domain: example.org\ncount: 3\ntext: "3"\ndebug: true\nmore: [a]' }).arguments).toEqual(
      values,
    );
    expect(read({ arguments: JSON.stringify(values) }).arguments).toEqual(values);
  });

  test('hosts by commas and lines', () => {
    expect(read({ hosts: 'a, web-*\n@pi\n\n!b,' }).hosts).toEqual(['a', 'web-*', '@pi', '!b']);
  });

  test('times in seconds, shares in hosts or parts', () => {
    const config = read({ 'confirm-timeout': '2m', canary: '25%' });
    expect([config['confirm-timeout'], config.canary]).toEqual([120, { part: 0.25 }]);
  });

  test('the defaults are themselves right, and an empty input is its default', () => {
    expect(read({ mode: '', hosts: ' ' })).toEqual(read({}));
    expect(read({}).mode).toBe('none');
  });

  test("a secret's text keeps its last newline, without which OpenSSH refuses a key", () => {
    expect(read({ 'deploy-key': 'x\n' })['deploy-key']).toBe('x\n');
  });
});

test('the runner hands inputs over in upper case with dashes kept', () => {
  expect(inputsOfRunner({ 'INPUT_KNOWN-HOSTS': 'x', INPUT_MODE: '', PATH: '/bin' })).toEqual({ 'known-hosts': 'x' });
});

/** Sub-actions say `source` differs in nothing from the root action's. */
test.each([
  ['action.yml', 'run'],
  ['setup/action.yml', 'setup'],
  ['plan/action.yml', 'plan'],
  ['deploy/action.yml', 'deploy'],
] as const)('%s declares the inputs of its step, with their defaults and meanings', (file, step) => {
  const action = parse(readFileSync(file, 'utf8')) as {
    inputs: Record<string, { description: string; default?: string; required: boolean }>;
  };
  const expected = inputsOfStep[step].map(name => {
    const { default: value, description } = inputs[name];
    return [name, { description, required: false, ...(value === '' ? {} : { default: value }) }];
  });
  expect(action.inputs).toEqual(Object.fromEntries(expected));
});
