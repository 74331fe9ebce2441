import { expect, test } from '@jest/globals';
import { parseChecks } from '../../src/plan/checks.ts';

const where = 'targets.web.healthChecks';

test('checks are read, with the defaults of morph', () => {
  const cmd = [{ description: 'nginx runs', cmd: ['systemctl', 'is-active', 'nginx'] }];
  const http = [{ description: 'the page', port: 80, timeout: 30 }];
  expect(parseChecks({ cmd, http }, where)).toEqual({
    cmd: [{ ...cmd[0], period: 2, timeout: 5 }],
    http: [
      {
        ...{ description: 'the page', host: null, scheme: 'http', port: 80, path: '/', headers: {} },
        ...{ period: 2, timeout: 30, insecureSSL: false },
      },
    ],
  });
  expect(parseChecks({}, where)).toEqual({ cmd: [], http: [] });
});

test.each<[unknown, string]>([
  [[], `${where} is [].`],
  [{ https: [] }, `${where} has no setting "https".`],
  [{ cmd: {} }, `${where}.cmd is {}.`],
  [{ cmd: ['true'] }, `${where}.cmd[0] is "true".`],
  [{ cmd: [{ cmd: ['true'] }] }, `${where}.cmd[0].description is missing.`],
  [{ cmd: [{ description: 'x', cmd: 'true' }] }, `${where}.cmd[0].cmd is "true".`],
  [{ cmd: [{ description: 'x', cmd: [] }] }, `${where}.cmd[0].cmd is [].`],
  [{ http: [{ description: 'x' }] }, `${where}.http[0].port is missing.`],
  [{ http: [{ description: 'x', port: 80, path: 'health' }] }, `${where}.http[0].path is "health".`],
  [{ http: [{ description: 'x', port: 80, period: 0 }] }, `${where}.http[0].period is 0.`],
  [{ http: [{ description: 'x', port: 80, schema: 'https' }] }, `${where}.http[0] has no setting "schema".`],
])('%j is refused', (value, message) => {
  expect(() => parseChecks(value, where)).toThrow(message);
});
