import { describe, expect, test } from '@jest/globals';
import type { Preview } from '../../src/preview/index.ts';
import { commentLimit } from '../../src/report/comment.ts';
import type { Run } from '../../src/report/run.ts';
import { summary } from '../../src/report/summary.ts';
import { packages, preview, unchanged, units } from './previews.ts';
import { built, host, run } from './run.ts';

const previewOf = (previews: Preview[]): Run => run({ mode: 'preview', previews });

/** The lines that a reader sees before anything is unfolded. */
function visibleLines(markdown: string): string[] {
  const open = markdown.replace(/<details><summary>(.*?)<\/summary>[\s\S]*?<\/details>/g, '$1');
  return open.split('\n').filter(line => line.trim() !== '');
}

test('one change of every kind', () => {
  const text = summary(
    previewOf([
      preview('web', {
        units: units({ stop: ['a.service', 'old.service'], start: ['a.service'], fresh: ['new.timer'] }),
        packages: packages({
          updated: [{ name: 'linux', from: ['6.12'], to: ['6.13'], bytes: 1024 }],
          added: [{ name: 'fresh', versions: ['0.1'], bytes: 100 }],
          removed: [{ name: 'stale', versions: ['7.0'], bytes: 3 * 1024 ** 2 }],
          rebuilt: { names: ['same'], bytes: 0 },
          bytes: { before: 4 * 1024 ** 2, after: 1024 ** 2 },
        }),
        reboot: [
          { part: 'kernel', text: 'kernel 6.12 → 6.13', pending: false },
          { part: 'systemd', text: 'systemd 256 → 257', pending: true },
        ],
        firewall: { opened: ['tcp 443'], closed: ['udp 53'], turned: null },
        users: { added: ['eve'], removed: ['bob'] },
        groups: { added: ['games'], removed: [] },
        etc: [
          { name: 'motd', kind: 'changed', rebuilt: false, diff: '-one\n+two\n' },
          { name: 'app-secret', kind: 'changed', rebuilt: false, diff: null },
          { name: 'profile', kind: 'changed', rebuilt: true, diff: '-x\n+y\n' },
        ],
      }),
    ]),
  );
  expect(text).toBe(`## Nix Ferry: 1 host would change

This is what a switch would do. The targets were only asked what they run.

### web

- ⚠️ **Needs a reboot**, because: kernel 6.12 &#8594; 6.13; systemd 256 &#8594; 257 (already before this)
- **Stops**: <code>old.service</code>
- **Restarts**: <code>a.service</code>
- **Starts, new**: <code>new.timer</code>
- **Firewall**: opens <code>tcp 443</code>; closes <code>udp 53</code>
- **Users**: adds <code>eve</code>; removes <code>bob</code>
- **Groups**: adds <code>games</code>
- **/etc**: changed <code>motd</code> <code>app-secret</code>; 1 file with other store paths only
- **Packages**: 1 package updated, 1 added, 1 removed, 1 rebuilt; closure -3.0 MiB

| Package | Before | After | Size |
|---|---|---|---:|
| linux | 6.12 | 6.13 | +1.0 KiB |
| fresh | — | 0.1 | +100 B |
| stale | 7.0 | — | -3.0 MiB |

<details><summary>1 package rebuilt in the same version (±0 B)</summary>

same

</details>

<details><summary>Diffs of 1 file in /etc</summary>

<code>/etc/motd</code>

\`\`\`diff
-one
+two
\`\`\`

1 file without a diff: large, not text, or possibly secret.

</details>
`);
});

test('failures first, then what changes, then the others in a line each', () => {
  const text = summary(
    previewOf([
      unchanged('a'),
      unchanged('b', { reboot: [{ part: 'kernel', text: 'kernel 6.6 → 6.12', pending: true }] }),
      { host: 'c', known: false, why: 'failed', message: 'It does not know this key.' },
      { host: 'd', known: false, why: 'no-target', message: 'It has no target.' },
      { host: 'e', known: false, why: 'no-target', message: 'It has no target.' },
      preview('f'),
    ]),
  );
  const order = ['**c** not compared', '### f', '**Unchanged**: 2 hosts (a, b (waits for a reboot))'].map(each =>
    text.indexOf(each),
  );
  expect(order).toEqual([...order].sort((one, other) => one - other));
  expect(order).not.toContain(-1);
  expect(text).toContain('## Nix Ferry: 1 host would change, 2 unchanged, 3 not compared\n');
  expect(text).toContain('**Not compared**: 2 hosts (d, e): It has no target.');
});

test('what is not known is said', () => {
  const unsure = units({ restart: ['a.service'], statesKnown: false, unknown: ['The script may restart more.'] });
  const text = summary(previewOf([preview('web', { units: unsure, packages: null, users: null, groups: null })]));
  expect(text).toContain('- **Restarts, if running**: <code>a.service</code>');
  expect(text).toContain('- **Units**: The script may restart more.');
  expect(text).toContain('- **Packages**: unknown, because Nix on the target does not answer');
  expect(text).toContain('- **Users and groups**: unknown, as one of the systems does not list them');
});

describe('a fleet of 60 hosts, 50 with the same change', () => {
  const same = Array.from({ length: 50 }, (_, index) => `web-${index}.example.org`);
  const others = Array.from({ length: 5 }, (_, index) => `db-${index}`);
  const fleet = [
    ...others.map(name => preview(name, { firewall: { opened: [`tcp ${name}`], closed: [], turned: null } })),
    ...same.map(name => preview(name)),
    ...['x', 'y', 'z', 'u', 'v'].map(name => unchanged(name)),
  ];
  const text = summary(
    run({ mode: 'preview', previews: fleet, built: fleet.map(each => built(each.host)) }),
    commentLimit,
  );

  test('is six blocks, the largest first', () => {
    const headings = text.split('\n').filter(line => line.startsWith('### '));
    expect(headings).toEqual(['### 50 hosts with the same change', ...others.map(name => `### ${name}`)]);
    expect(text.match(/nginx \| 1\.26\.0/g)).toHaveLength(6);
    for (const name of same) expect(text.split('<details><summary>Closures')[0]).toContain(name);
  });

  test('fits into a comment, and is at most ten visible lines for each block', () => {
    expect(text.length).toBeLessThan(commentLimit);
    expect(visibleLines(text).length).toBeLessThanOrEqual(6 * 10 + 5);
  });
});

describe('a change that does not fit', () => {
  const long = Array.from({ length: 250 }, (_, index) => ({
    name: `package-${index}-${'x'.repeat(100)}`,
    ...{ from: ['1.0'], to: ['2.0'], bytes: 1 },
  }));
  const large = {
    packages: packages({ updated: long, rebuilt: { names: long.map(({ name }) => name), bytes: 0 } }),
    reboot: [{ part: 'kernel' as const, text: 'kernel 6.12 → 6.13', pending: false }],
  };

  test('is counted, and hides no other change', () => {
    const text = summary(previewOf([preview('large', large), preview('small')]), 20_000);
    expect(Buffer.byteLength(text)).toBeLessThan(20_000);
    expect(text).toContain(
      '### large\n\nneeds a reboot; 1 unit; 250 packages updated, 250 rebuilt; closure ±0 B. The details do not fit here.',
    );
    expect(text).toContain('### small\n\n- **Restarts**: <code>nginx.service</code>');
  });

  test('long lists are folded: a change of 250 packages and 90 units has few visible lines', () => {
    const restart = Array.from({ length: 90 }, (_, index) => `unit-${index}.service`);
    const text = summary(previewOf([preview('large', { ...large, units: units({ restart }) })]));
    expect(visibleLines(text).length).toBeLessThanOrEqual(12);
    expect(text).toContain('and 78 more');
    expect(text).toContain('<summary>restarts: all 90 units</summary>');
  });

  test('thousands of different changes end with their number', () => {
    const many = Array.from({ length: 2000 }, (_, index) =>
      preview(`host-${index}`, { units: units({ restart: [`unit-${index}.service`] }) }),
    );
    const text = summary(previewOf(many), commentLimit);
    expect(text.length).toBeLessThan(65_536);
    expect(text).toMatch(/\d+ more changes do not fit here\./);
  });
});

test.each([
  '<img src=x onerror=alert(1)>',
  '| a | b |',
  '](https://evil.example) [x',
  '`code` **bold** _x_',
  '@everyone see #12 and https://evil.example www.evil.example',
  '\n# Heading',
  '\u001b[31mred \u202e gnirts',
])('%j from a target or a closure is shown as text', hostile => {
  const text = (word: string): string =>
    summary(
      previewOf([
        preview(word, {
          units: units({ restart: [word], unknown: [word], error: word }),
          packages: packages({
            updated: [{ name: word, from: [word], to: [word], bytes: 0 }],
            rebuilt: { names: [word], bytes: 0 },
          }),
          reboot: [{ part: 'kernel', text: word, pending: false }],
          firewall: { opened: [word], closed: [], turned: null },
          users: { added: [word], removed: [] },
          groups: { added: [], removed: [word] },
          etc: [{ name: word, kind: 'added', rebuilt: false, diff: null }],
        }),
        unchanged(word),
        { host: 'z', known: false, why: 'unreachable', message: word },
      ]),
    );
  for (const character of ['<', '>', '|', '`', '[', ']', '@', '*', '_', '\u001b', '\u202e', '\n']) {
    expect([character, text(hostile).split(character).length]).toEqual([character, text('x').split(character).length]);
  }
  expect(text(hostile)).not.toMatch(/https?:\/\/|www\./);
});

test('a diff that contains fences stays inside its block, and store paths in it have no hashes', () => {
  const diff = `+\`\`\`\`\n+</details>\n+/nix/store/${'a'.repeat(32)}-x/bin\n`;
  const text = summary(previewOf([preview('web', { etc: [{ name: 'x', kind: 'added', rebuilt: false, diff }] })]));
  expect(text).toContain('`````diff\n+````\n+</details>\n+/nix/store/…-x/bin\n`````');
});

test('hosts that were not built are failures only', () => {
  const failed = {
    ...{ host: host('db'), ok: false as const },
    failure: { message: 'gcc failed.', drvPath: null, log: '', place: null },
  };
  const previews = [{ host: 'db', known: false as const, why: 'not-built' as const, message: 'It was not built.' }];
  const text = summary(run({ mode: 'preview', built: [failed], previews }));
  expect(text).toContain('- **db** not built: gcc failed.');
  expect(text).not.toContain('Not compared');
});
