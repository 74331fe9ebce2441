import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { type InputName, inputs } from '../src/inputs.ts';

const readme = readFileSync('README.md', 'utf8');

test.each(Object.keys(inputs) as InputName[])('the README tells the input %s as it is', name => {
  const { default: value, description } = inputs[name];
  expect(readme).toContain(`| \`${name}\` | ${value === '' ? '' : `\`${value}\``} | ${description} |`);
});

test('the README tells no input that there is not', () => {
  const [, table = ''] = readme.split('### Inputs');
  const told = [...(table.split('### Outputs')[0] ?? '').matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  expect(told).toEqual(Object.keys(inputs));
});
