import { expect, test } from '@jest/globals';
import { summary } from '../../src/report/summary.ts';
import { archive, built, host, outcome, run } from './run.ts';

test('a table of hosts, the time of each stage, and what changed', () => {
  const text = summary(
    run({
      built: [built('web'), built('pi', 'aarch64-linux')],
      archives: [archive('web'), archive('pi')],
      outcomes: [
        outcome('web', 'deployed', {
          units: { stop: [], start: [], restart: ['nginx.service'], reload: [], kept: [], failed: [] },
        }),
        outcome('pi', 'unreachable', { message: 'No connection to 192.0.2.9: timed out.', seconds: 15 }),
      ],
      timings: { plan: 1.24, build: 200, deploy: 16.4 },
    }),
  );
  expect(text).toBe(
    `## Nix Ferry: 1 deployed, 1 unreachable

- **pi** unreachable: No connection to 192.0.2.9&#58; timed out.

**Next steps**

- unreachable: Check that the target is running and can be reached over SSH, then deploy again.

| Host | System | Closure | Archive | Outcome |
|---|---|---:|---:|---|
| web | x86&#95;64-linux | 1.5 GiB in 3 paths | 40.0 MiB | ✅ deployed in 1.5 s |
| pi | aarch64-linux | 1.5 GiB in 3 paths | 40.0 MiB | ❌ unreachable in 15 s |

**Time**: plan 1.2 s · build 3 min 20 s · deploy 16 s

<details><summary>web: restart 1</summary>

- restarted: <code>nginx.service</code>
- <code>/nix/store/aaaa-nixos</code> → <code>/nix/store/bbbb-nixos</code>

</details>
`,
  );
});

test('a dry run says what would restart, and that nothing was changed', () => {
  const units = {
    stop: [],
    start: [],
    restart: ['a.service', 'b.service'],
    reload: ['c.service'],
    kept: [],
    failed: [],
  };
  const text = summary(
    run({ mode: 'dry-activate', outcomes: [outcome('web', 'planned', { mode: 'dry-activate', units })] }),
  );
  expect(text).toContain('Nothing was changed');
  expect(text).toContain('🔍 planned in 1.5 s: would restart 2, reload 1');
  expect(text).toContain('- would restart: <code>a.service</code> <code>b.service</code>');
});

test('a unit that is stopped and started again counts as restarted; one that is kept is named', () => {
  const units = {
    stop: ['a.service', 'old.service'],
    start: ['a.service'],
    restart: [],
    reload: [],
    kept: ['tty'],
    failed: [],
  };
  const text = summary(
    run({ mode: 'dry-activate', outcomes: [outcome('web', 'planned', { mode: 'dry-activate', units })] }),
  );
  expect(text).toContain('would stop 1, restart 1');
  expect(text).toContain('- would restart: <code>a.service</code>\n');
  expect(text).toContain('- would stop: <code>old.service</code>\n');
  expect(text).toContain('- changed, but would keep running in the old version: <code>tty</code>');
  expect(text).not.toContain('would start');
});

test('hosts that were not evaluated or built are listed with their log', () => {
  const fleet = {
    ...{
      format: 'flake' as const,
      detected: null,
      source: '/x',
      commit: null,
      dirty: false,
      names: [],
      hosts: [host('db')],
    },
    failures: [
      { host: 'web', message: 'attribute missing', trace: 'error: here', file: 'flake.nix', line: 3, column: 1 },
    ],
  };
  const failed = {
    host: host('db'),
    ok: false as const,
    failure: { message: 'gcc failed.', drvPath: null, log: 'cc: no', place: null },
  };
  const text = summary(run({ fleet, built: [failed] }));
  expect(text).toContain('| web |  |  |  | ❌ not evaluated |');
  expect(text).toContain('❌ not built |');
  expect(text).toContain('- **web** not evaluated: attribute missing');
  expect(text).toContain('```text\nerror: here\n```');
  expect(text).toContain('```text\ncc: no\n```');
});

test.each([
  '<img src=x onerror=alert(1)>',
  '| a | b |',
  '](https://evil.example) [x',
  '`code` **bold** _x_ ~~y~~',
  '@everyone see #12 and https://evil.example www.evil.example',
  '$a^2$ :smile: \\',
  'a\n\n# Heading\n- item',
  '\u001b[31mred\u001b[0m \u202e gnirts \u0000',
])('%j from a target is shown as text', hostile => {
  const text = summary(
    run({
      outcomes: [
        outcome('web', 'failed', {
          message: hostile,
          units: { stop: [hostile], start: [], restart: [], reload: [], kept: [], failed: [] },
        }),
      ],
    }),
  );
  const own = summary(
    run({
      outcomes: [
        outcome('web', 'failed', {
          message: 'x',
          units: { stop: ['x'], start: [], restart: [], reload: [], kept: [], failed: [] },
        }),
      ],
    }),
  );
  // Characters that start markup occur as often as without it.
  for (const character of ['<', '>', '|', '`', '[', ']', '@', '*', '_', '$', '\\', '\u001b', '\u202e', '\n']) {
    expect([character, text.split(character).length]).toEqual([character, own.split(character).length]);
  }
  expect(text).not.toMatch(/https?:\/\/|www\./);
});

// GitHub looks for mentions and references in the text of the HTML, where a character reference is a character again.
test.each([
  '@octocat',
  '@octo-org/team: see',
  'broken (@octocat)',
  'see #12',
  'octo-org/fleet#12',
  'GH-12',
  'https://evil.example/x',
  'www.evil.example',
  'someone@evil.example',
  '![x](https://evil.example/beacon.png)',
  '<img src="https://evil.example/beacon.png">',
  '[click](https://evil.example)',
])('%s in a message, a unit or a name notifies nobody, links to nothing and loads nothing', hostile => {
  const units = { stop: [hostile], start: [], restart: [], reload: [], kept: [], failed: [] };
  const bad = outcome('web', 'failed', { message: hostile, units, others: [hostile] });
  const failure = { host: null, message: hostile, trace: '', file: null, line: null, column: null };
  const fleet = { ...run().fleet, hosts: [], failures: [{ ...failure, host: hostile }] } as never;
  const source = summary(run({ fleet, outcomes: [bad], error: { message: hostile, cure: hostile } as never }));
  expect(source).not.toMatch(/!\[|<img|\]\(|https?:\/\/|\bwww\.|\w@\w/);
  const read = source.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
  // Not in code, where GitHub does not look for them.
  const html = read.replaceAll(/<code>.*?<\/code>/gs, '');
  expect(html).not.toMatch(/(?:^|\W)@[a-z0-9]/im);
  expect(html).not.toMatch(/#\d|\bGH-\d/i);
});

test('a log that contains fences stays inside its block', () => {
  const failed = {
    host: host('db'),
    ok: false as const,
    failure: { message: 'x', drvPath: null, log: '````\n</details>\n# out', place: null },
  };
  expect(summary(run({ built: [failed] }))).toContain('`````text\n````\n</details>\n# out\n`````');
});

test('two thousand hosts with long logs stay below 1 MiB, and say how much is left out', () => {
  const names = Array.from({ length: 2000 }, (_, index) => `host-${index}.example.com`);
  const units = {
    stop: [],
    start: [],
    restart: Array.from({ length: 40 }, (_, index) => `some-service-${index}.service`),
    reload: [],
    kept: [],
    failed: [],
  };
  const text = summary(
    run({
      built: names.map(name => ({
        host: host(name),
        ok: false as const,
        failure: { message: 'é'.repeat(300), drvPath: null, log: 'é'.repeat(8000), place: null },
      })),
      outcomes: names.map(name => outcome(name, 'deployed', { units })),
    }),
  );
  expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
  expect(text).toMatch(/The details of \d+ more hosts do not fit into the summary/);
  expect(text).toContain('| host-1999.example.com |');
});

test('the secrets of a host, by what became of them, and what to do after a reboot', () => {
  const secrets = { changed: ['a', '<b>'], unchanged: ['c'], volatile: ['a'], unknown: [] };
  const dry = { changed: [], unchanged: [], volatile: ['d'], unknown: ['d'] };
  const text = summary(
    run({
      outcomes: [
        outcome('web', 'deployed', { secrets }),
        outcome('db', 'planned', { mode: 'dry-activate', secrets: dry }),
        outcome('pi', 'deployed'),
      ],
    }),
  );
  expect(text).toContain(
    `**Secrets**

- web: sent <code>a</code> <code>&#60;b&#62;</code>; unchanged <code>c</code>. A reboot removes these secrets, and &#96;ferry secrets&#96; sends them again&#58; a.
- db: not compared <code>d</code>
`,
  );
});

test('an archive links to its artifact, of this run or of an earlier one', () => {
  const artifact = { name: 'closure-web', id: 42, digest: 'sha256:0', bytes: 1, run: null };
  const archives = [
    { ...archive('web'), artifact },
    { ...archive('db'), artifact: { ...artifact, id: 43, run: 5 } },
    archive('pi'),
  ];
  const text = summary(run({ archives, address: 'https://github.com/o/r/actions/runs/7' }));
  expect(text).toContain('| [40.0 MiB](https://github.com/o/r/actions/runs/7/artifacts/42) |');
  expect(text).toContain('| [40.0 MiB](https://github.com/o/r/actions/runs/5/artifacts/43) |');
  expect(text).toContain('| pi | x86&#95;64-linux | 1.5 GiB | 40.0 MiB |');
  expect(summary(run({ archives }))).not.toContain('](');
});

test('hosts that were not built for one reason are one line and one log, with what to do next', () => {
  const failure = { message: 'linux failed to build', drvPath: null, log: 'cc: no', place: null };
  const failed = (name: string, more = {}) => ({
    ...{ host: host(name), ok: false as const },
    failure: { ...failure, ...more },
  });
  const wrong = failed('db', { message: 'x has another hash', place: { file: 'x.nix', line: 1, column: 1 } });
  const done = run({ built: [failed('a'), failed('b'), wrong], outcomes: [outcome('pi', 'unreachable')] });
  const text = summary(done);
  expect(text).toContain(`
- **2 hosts (a, b)** not built: linux failed to build
- **db** not built: x has another hash
- **pi** unreachable: unreachable.

**Next steps**

- not built: Read the log of the build. Reproduce it with: <code>ferry build --hosts a</code>
- not built: If the download is what it should be, write its hash into the source.
- unreachable: Check that the target is running and can be reached over SSH, then deploy again.
`);
  expect(text.match(/<summary>.*log of build/g)).toEqual([
    '<summary>2 hosts (a, b): log of build',
    '<summary>db: log of build',
  ]);
});

test('failures that are not listed are counted', () => {
  const outcomes = Array.from({ length: 60 }, (_, n) => outcome(`h${n}`, 'failed'));
  const text = summary(run({ outcomes }));
  expect(text).toContain('- **h49** failed');
  expect(text).toContain('- … and 10 more hosts, see the table');
});
