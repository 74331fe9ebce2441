import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import stringWidth from 'string-width';
import type { HostEvent } from '../../src/context.ts';
import { column, cut } from '../../src/report/cells.ts';
import { frameOf, openProgress } from '../../src/report/progress.ts';

const event = (host: string, state: HostEvent['state'], text: string): HostEvent => ({
  host,
  stage: 'deploy',
  state,
  text,
});

function screen(
  isTTY: boolean,
  columns = 60,
  rows = 24,
): { written: string[]; write: (text: string) => void; isTTY: boolean; columns: number; rows: number } {
  const written: string[] = [];
  return { written, write: text => void written.push(text), isTTY, columns, rows };
}

test('plain lines: one for each change of state, and at most one in ten seconds in between', () => {
  let now = 0;
  const out = screen(false);
  const progress = openProgress(out, true, () => now);
  progress.event(event('web', 'waiting', ''));
  progress.event(event('web', 'running', 'copying'));
  for (now = 1000; now <= 20_000; now += 1000) progress.event(event('web', 'running', `copying ${now}`));
  progress.event(event('web', 'failed', 'no\u001b[31m connection\nat all'));
  progress.end();
  expect(out.written).toEqual([
    'web: deploy: copying\n',
    'web: deploy: copying 10000\n',
    'web: deploy: copying 20000\n',
    'web: deploy: failed: no connection at all\n',
  ]);
});

test('plain lines: hosts that wait for the same download say so once', () => {
  let now = 0;
  const out = screen(false);
  const progress = openProgress(out, false, () => now);
  for (const host of ['web', 'db', 'mail']) progress.event(event(host, 'running', 'building'));
  now = 30_000;
  for (const host of ['web', 'db', 'mail']) progress.event(event(host, 'running', 'downloading 1 MiB of 3 MiB'));
  progress.end();
  expect(out.written).toEqual([
    'web: deploy: building\n',
    'db: deploy: building\n',
    'mail: deploy: building\n',
    'web: deploy: downloading 1 MiB of 3 MiB\n',
  ]);
});

describe('a long silence', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('is broken once a minute by a line that says what the run waits for', () => {
    const out = screen(false);
    const progress = openProgress(out, false);
    progress.event({ stage: 'deploy', state: 'running' });
    for (const host of ['web', 'db', 'a', 'b', 'c']) progress.event(event(host, 'running', 'activating'));
    progress.event(event('db', 'done', 'deployed'));
    out.written.length = 0;
    jest.advanceTimersByTime(59_000);
    expect(out.written).toEqual([]);
    progress.heard();
    jest.advanceTimersByTime(59_000);
    expect(out.written).toEqual([]);
    jest.advanceTimersByTime(61_000);
    const hosts = (time: string): string => ['web', 'a', 'b'].map(host => `${host} (activating, ${time})`).join(', ');
    expect(out.written).toEqual([
      `Still in the stage deploy after 1 min 59 s, waiting for ${hosts('1 min 59 s')}, 1 more host.\n`,
      `Still in the stage deploy after 2 min 59 s, waiting for ${hosts('2 min 59 s')}, 1 more host.\n`,
    ]);
    progress.event({ stage: 'deploy', state: 'done' });
    jest.advanceTimersByTime(600_000);
    expect(out.written).toHaveLength(2);
    progress.end();
  });

  test('without hosts, the stage is all that is known', () => {
    const out = screen(false);
    const progress = openProgress(out, false);
    progress.event({ stage: 'plan', state: 'running' });
    jest.advanceTimersByTime(60_000);
    progress.end();
    jest.advanceTimersByTime(600_000);
    expect(out.written).toEqual(['Still in the stage plan after 1 min 0 s.\n']);
  });
});

test('live: before the hosts are known, the stage and its time are shown', () => {
  let now = 0;
  const out = screen(true);
  const progress = openProgress(out, true, () => now);
  progress.event({ stage: 'plan', state: 'running' });
  now = 12_000;
  progress.line('note: something');
  progress.end();
  expect(out.written[0]).toContain('note: something\n· plan 12 s\n');
});

const hosts = (number: number, state: HostEvent['state']): (HostEvent & { since: number })[] =>
  Array.from({ length: number }, (_, index) => ({ ...event(`${state}-${index}`, state, 'x'), since: index }));

test('forty hosts on 24 rows: failed ones first, then running ones; the rest is counted', () => {
  const lines = frameOf(
    [...hosts(20, 'done'), ...hosts(10, 'running'), ...hosts(2, 'failed'), ...hosts(8, 'waiting')],
    22,
    5000,
    0,
  );
  expect(lines).toHaveLength(22);
  expect(lines.slice(0, 2).every(line => line.startsWith('✗ failed-'))).toBe(true);
  expect(lines.slice(2, 12).every(line => line.startsWith('· running-'))).toBe(true);
  expect(lines.at(-1)).toBe('40 hosts: 2 failed, 10 running, 20 done, 8 waiting, 11 not shown, 5.0 s');
});

test('at the end all are shown, those that are done in their order', () => {
  const lines = frameOf(hosts(40, 'done'), Number.POSITIVE_INFINITY, 5000, 0);
  expect(lines.slice(0, 40).map(line => line.split(/\s+/)[1])).toEqual(hosts(40, 'done').map(({ host }) => host));
});

/** What a terminal shows after the sequences that a live progress uses. */
function shown(written: readonly string[]): string[] {
  const lines: string[] = [''];
  let row = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's sequences
  for (const [, sequence, text] of written.join('').matchAll(/(\u001b\[[?0-9]*[A-Za-z])|([^\u001b]+)/g)) {
    if (sequence === '\u001b[J') lines.length = row + 1;
    else if (sequence?.endsWith('A')) row -= Number(sequence.slice(2, -1));
    else if (text !== undefined) {
      for (const [index, part] of text.split('\n').entries()) {
        if (index > 0) row++;
        lines[row] = part.startsWith('\r') ? part.slice(1) : index === 0 ? (lines[row] ?? '') + part : part;
      }
    }
  }
  return lines;
}

test('live: each frame is one write and redrawn in place, lines above it stay', () => {
  const out = screen(true, 40);
  const progress = openProgress(out, true, () => 0);
  progress.event(event('web', 'running', 'copying a closure with a name that is far too long for it'));
  progress.line('warning: something');
  progress.event(event('web', 'done', 'deployed'));
  progress.line('another');
  progress.end();
  expect(out.written).toHaveLength(3);
  expect(shown(out.written)).toEqual([
    'warning: something',
    'another',
    '✓ web deploy  deployed',
    '1 host: 1 done, 0.0 s',
    '',
  ]);
  const widths = out.written
    .flatMap((_, index) => shown(out.written.slice(0, index + 1)))
    .map(each => stringWidth(each));
  expect(Math.max(...widths)).toBeLessThanOrEqual(39);
});

test('events are drawn together, not one by one', async () => {
  const out = screen(true);
  const progress = openProgress(out, true);
  for (let index = 0; index < 500; index++) progress.event(event('web', 'running', `copying ${index}`));
  expect(out.written).toHaveLength(0);
  await new Promise(resolve => setTimeout(resolve, 150));
  expect(out.written).toHaveLength(1);
  expect(out.written[0]).toContain('copying 499');
  progress.end();
});

test.each([
  ['plain', 10, 'plain'],
  ['exactly ten', 11, 'exactly ten'],
  ['more than ten', 8, 'more th…'],
  ['日本語の名前', 7, '日本語…'],
  ['日本語', 6, '日本語'],
  ['👩‍👩‍👧‍👧 family', 4, '👩‍👩‍👧‍👧 …'],
  ['x', 0, ''],
])('%j in %i cells is %j', (text, width, expected) => {
  expect(cut(text, width)).toBe(expected);
  expect(stringWidth(column(text, width))).toBe(width);
});

test.each([true, false])('what a target printed moves no cursor and hides nothing (terminal: %s)', isTTY => {
  const out = screen(isTTY);
  const progress = openProgress(out, true);
  progress.line('warning: web: \u001b[2J\u001b[1A\u001b]0;title\u0007failed\rok');
  progress.end();
  const own = ['\u001b[?2026h', '\u001b[?2026l', '\u001b[J'];
  const text = own.reduce((shown, sequence) => shown.replaceAll(sequence, ''), out.written.join(''));
  expect(text).toBe('warning: web: failedok\n');
});
