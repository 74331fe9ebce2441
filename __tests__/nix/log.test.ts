import { expect, test } from '@jest/globals';
import { parseLogLine } from '../../src/nix/log.ts';

// Lines as Nix 2.8 printed them.
test.each([
  [
    '@nix {"action":"start","fields":["/nix/store/n72f-dep.drv","",1,1],"id":7,"level":3,"text":"building","type":105}',
    { kind: 'build-start', id: 7, drvPath: '/nix/store/n72f-dep.drv', machine: '' },
  ],
  [
    '@nix {"action":"start","fields":["/nix/store/x-a","https://cache","local"],"id":8,"level":3,"text":"","type":100}',
    { kind: 'copy-start', id: 8, path: '/nix/store/x-a' },
  ],
  [
    '@nix {"action":"result","fields":["\\u001b[31mhello\\u001b[0m"],"id":7,"type":101}',
    { kind: 'log-line', id: 7, line: 'hello' },
  ],
  ['@nix {"action":"stop","id":7}', { kind: 'stop', id: 7 }],
  [
    '@nix {"action":"msg","level":0,"msg":"\\u001b[31;1merror:\\u001b[0m no","raw_msg":"no"}',
    { kind: 'message', level: 0, text: 'no' },
  ],
  ['@nix {"action":"result","fields":[0,5,0,0],"id":9,"type":105}', null],
  ['error: no settings', { kind: 'message', level: 0, text: 'error: no settings' }],
  ['@nix {"cut off', { kind: 'message', level: 0, text: '@nix {"cut off' }],
  ['', null],
])('%s', (line, event) => {
  expect(parseLogLine(line)).toEqual(event);
});
