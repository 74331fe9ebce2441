import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { takeEnvironment } from '../src/environment.ts';

const all = {
  PATH: process.env.PATH,
  'INPUT_DEPLOY-KEY': 'the-key',
  ACTIONS_RUNTIME_TOKEN: 'runtime-token',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'oidc-token',
  ACTIONS_ID_TOKEN_REQUEST_URL: 'https://oidc',
  GITHUB_TOKEN: 'job-token',
  FERRY_SIGNING_KEY: 'signing-key',
  GITHUB_ENV: '/runner/env',
  FERRY_DEBUG: '1',
};

test('a child process gets no secret, and no file from which the runner takes variables for later steps', () => {
  const own = { env: { ...all } as Record<string, string | undefined>, platform: 'none' };
  const { given } = takeEnvironment(own);
  expect(given).toEqual(all);
  for (const env of [own.env, { ...own.env }]) {
    const printed = execFileSync('env', { env: env as NodeJS.ProcessEnv, encoding: 'utf8' });
    expect(printed).toBe(`PATH=${process.env.PATH}\nFERRY_DEBUG=1\n`);
  }
});

test('what the toolkit needs can still be read by its name, and nothing else', () => {
  const own = { env: { ...all } as Record<string, string | undefined>, platform: 'none' };
  takeEnvironment(own);
  expect(own.env.ACTIONS_RUNTIME_TOKEN).toBe('runtime-token');
  expect(own.env.GITHUB_ENV).toBe('/runner/env');
  for (const name of ['INPUT_DEPLOY-KEY', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'GITHUB_TOKEN', 'FERRY_SIGNING_KEY']) {
    expect(own.env[name]).toBeUndefined();
  }
});
