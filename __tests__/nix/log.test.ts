import { expect, test } from '@jest/globals';
import { parseLogLine } from '../../src/nix/log.ts';

// Lines that Nix 2.8 printed.
test.each([
  [
    '@nix {"action":"start","fields":["/nix/store/n72f-dep.drv","",1,1],"id":7,"level":3,"text":"building","type":105}',
    { kind: 'build-start', id: 7, drvPath: '/nix/store/n72f-dep.drv', machine: '' },
  ],
  [
    '@nix {"action":"start","fields":["/nix/store/x-a","https://cache","local"],"id":8,"level":3,"text":"","type":100}',
    { kind: 'copy-start', id: 8, path: '/nix/store/x-a', source: 'https://cache' },
  ],
  [
    '@nix {"action":"result","fields":["\\u001b[31mhello\\u001b[0m"],"id":7,"type":101}',
    { kind: 'log-line', id: 7, line: 'hello' },
  ],
  ['@nix {"action":"stop","id":7}', { kind: 'stop', id: 7 }],
  [
    '@nix {"action":"msg","level":0,"msg":"\\u001b[31;1merror:\\u001b[0m no","raw_msg":"no"}',
    { kind: 'error', error: { message: 'no', printed: 'error: no', places: [] } },
  ],
  [
    '@nix {"action":"msg","level":1,"msg":"\\u001b[35;1mwarning:\\u001b[0m careful"}',
    { kind: 'message', level: 1, text: 'warning: careful' },
  ],
  [
    '@nix {"action":"msg","level":1,"msg":"\\u001b[35;1mevaluation warning:\\u001b[0m old","raw_msg":"old"}',
    { kind: 'message', level: 1, text: 'evaluation warning: old' },
  ],
  [
    '@nix {"action":"msg","level":0,"msg":"trace: data \\u009b1m"}',
    { kind: 'message', level: 0, text: 'trace: data \u009b1m' },
  ],
  [
    '@nix {"action":"msg","level":4,"msg":"evaluating file \'/a/b c.nix\'"}',
    { kind: 'evaluating', file: '/a/b c.nix' },
  ],
  [
    '@nix {"action":"start","id":9,"level":4,"text":"evaluating file \'/a/b c.nix\'","type":0}',
    { kind: 'evaluating', file: '/a/b c.nix' },
  ],
  ['@nix {"action":"start","id":5,"level":0,"text":"","type":104}', { kind: 'builds-start', id: 5 }],
  [
    '@nix {"action":"start","fields":["https://cache/x.nar"],"id":6,"level":4,"text":"downloading","type":101}',
    { kind: 'download-start', id: 6 },
  ],
  ['@nix {"action":"result","fields":[0,5,0,0],"id":9,"type":105}', { kind: 'progress', id: 9, done: 0, expected: 5 }],
  ['@nix {"action":"result","fields":[101,900],"id":9,"type":106}', { kind: 'download-size', id: 9, bytes: 900 }],
  ['@nix {"action":"result","fields":[100,900],"id":9,"type":106}', null],
  ['@nix {"action":"result","fields":["unpackPhase"],"id":9,"type":104}', null],
  ['error: no settings', { kind: 'message', level: 0, text: 'error: no settings' }],
  ['@nix {"cut off', { kind: 'message', level: 0, text: '@nix {"cut off' }],
  ['', null],
])('%s', (line, event) => {
  expect(parseLogLine(line)).toEqual(event);
});

test('an error has its places, innermost first', () => {
  const error = {
    action: 'msg',
    level: 0,
    msg: '\u001b[31;1merror:\u001b[0m oh',
    raw_msg: 'oh',
    file: '/a.nix',
    line: 3,
    column: 4,
    trace: [
      { file: null, line: null, raw_msg: 'x' },
      { file: '/b.nix', line: 5, column: 6, raw_msg: 'y' },
    ],
  };
  expect(parseLogLine(`@nix ${JSON.stringify(error)}`)).toEqual({
    kind: 'error',
    error: {
      message: 'oh',
      printed: 'error: oh',
      places: [
        { file: '/a.nix', line: 3, column: 4 },
        { file: '/b.nix', line: 5, column: 6 },
      ],
    },
  });
});
