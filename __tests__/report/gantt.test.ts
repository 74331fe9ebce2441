import { expect, test } from '@jest/globals';
import type { WorkItem } from '../../src/build/work.ts';
import { commentText } from '../../src/report/comment-text.ts';
import { summary } from '../../src/report/summary.ts';
import type { Span } from '../../src/timeline.ts';
import { run } from './run.ts';

const began = 1_700_000_000_000;

function span(stage: Span['stage'], host: string | null, from: number, to: number, failed = false): Span {
  return { stage, host, from: began + from, to: began + to, failed };
}

function item(name: string, from: number, to: number, more: Partial<WorkItem> = {}): WorkItem {
  const path = `/nix/store/${'a'.repeat(32)}-${name}.drv`;
  const times = { from: began + from, to: began + to };
  return { kind: 'built', path, where: null, system: null, emulated: false, failed: false, ...times, ...more };
}

/** The diagram of a summary. */
function diagram(text: string): string[] {
  const [, inside = ''] = /```mermaid\n([\s\S]*?)\n```/.exec(text) ?? [];
  return inside.split('\n');
}

const stages = [span('plan', null, 0, 1200), span('build', null, 1200, 61_200), span('deploy', null, 61_200, 70_000)];

test('stages, the slowest builds and hosts, in seconds since the start of the run', () => {
  const timeline = [
    ...stages,
    span('build', 'web', 1200, 61_200),
    span('deploy', 'web', 62_000, 64_500),
    span('deploy', 'web', 66_000, 70_000, true),
  ];
  const items = [
    item('linux-6.12', 2000, 60_000, { failed: true }),
    item('web', 60_000, 60_700),
    item('short', 60_000, 60_699),
  ];
  const text = summary(run({ timeline, work: { items, downloadedBytes: 0 } }));
  expect(diagram(text).slice(1)).toEqual([
    'gantt',
    '  dateFormat x',
    '  axisFormat %s s',
    '  section Stages',
    '    1.2 s · plan :0, 1200',
    '    1 min 0 s · build :1200, 61200',
    '    8.8 s · deploy :61200, 70000',
    '  section Builds',
    '    58 s · linux-6.12 :crit, 2000, 60000',
    '    0.7 s · web :60000, 60700',
    '  section Hosts',
    '    2.5 s · web :62000, 64500',
    '    4.0 s · web :crit, 66000, 70000',
  ]);
});

test('of 60 hosts, those that failed and those that took longest are shown', () => {
  const hosts = Array.from({ length: 60 }, (_, n) => span('preview', `host-${n}`, 61_200, 61_300 + n, n === 3));
  // Its two parts are one host.
  hosts.push(span('preview', 'host-59', 62_000, 62_001));
  const text = summary(run({ timeline: [...stages, ...hosts] }));
  const shown = diagram(text).flatMap(line => /host-\d+/.exec(line)?.[0] ?? []);
  const longest = Array.from({ length: 19 }, (_, n) => `host-${41 + n}`);
  expect(shown.toSorted()).toEqual(['host-3', 'host-59', ...longest].toSorted());
  expect(text).toContain('40 more hosts took less time.');
});

test.each(['section x', 'gantt', 'a:b', 'a#b;c', '%% x', '```', '<b>', '2026-11-28', 'click x call y()'])(
  'the name %j is no command of the diagram and does not end it',
  name => {
    const lines = diagram(summary(run({ timeline: [...stages, span('deploy', name, 0, 1000)] })));
    expect(lines.at(-1)).toMatch(/^ {4}1\.0 s · [^:#;%`<>]+ :0, 1000$/);
  },
);

test('what was built, emulated, fetched and failed, and the ten that took longest', () => {
  const built = Array.from({ length: 12 }, (_, n) => item(`dep-${n}`, 0, 100 * n));
  const items = [
    ...built,
    item('kernel-6.12', 0, 90_000, { system: 'aarch64-linux', emulated: true }),
    item('remote', 0, 80_000, { where: 'ssh://root@builder' }),
    item('broken', 0, 70_000, { failed: true }),
    item('glibc', 0, 60_000, { kind: 'fetched', where: 'https://user:word@cache.example.org?x=1' }),
  ];
  const text = summary(run({ work: { items, downloadedBytes: 3 * 1024 ** 2 } }));
  expect(text).toContain(
    '**Builds**: 15 derivations built (1 emulated, 1 on remote builders, 1 failed), 1 path fetched (3.0 MiB downloaded)',
  );
  expect(text).toContain(
    `<details><summary>The slowest 10</summary>

| Name | Time | How |
|---|---:|---|
| kernel-6.12 | 1 min 30 s | built, emulated aarch64-linux |
| remote | 1 min 20 s | built, on a remote builder |
| broken | 1 min 10 s | ❌ failed |
| glibc | 1 min 0 s | fetched from cache.example.org |
| dep-11 | 1.1 s | built |
`,
  );
  expect(text.match(/^\| dep-\d+ /gm)).toHaveLength(6);
  expect(text).not.toContain('word');
});

test('a comment has neither: it links to the summary', () => {
  const done = run({ timeline: stages, work: { items: [item('x', 0, 1)], downloadedBytes: 0 } });
  const text = commentText(done, { commit: null, run: null, data: null });
  expect(text).not.toMatch(/mermaid|\*\*Builds\*\*/);
});
