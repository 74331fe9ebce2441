import { expect, test } from '@jest/globals';
import { forkCommentText } from '../../src/report/comment-text.ts';
import { previewData, readPreviewData } from '../../src/report/preview-data.ts';
import { decodeToplevels, encodeToplevels } from '../../src/report/previewed-block.ts';
import { packages, preview, units } from './previews.ts';
import { host, run } from './run.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';
const subject = { pull: 12, commit };
const address = {
  commit,
  run: 'https://github.com/o/r/actions/runs/7',
  data: 'https://github.com/o/r/actions/runs/7/artifacts/3',
};

const failed = {
  ...{ host: host('db'), ok: false as const },
  failure: { message: 'gcc failed.', drvPath: null, log: 'the log', place: null },
};
const whole = previewData(
  run({
    mode: 'preview',
    built: [failed],
    previews: [
      preview('web', {
        packages: packages({ added: [{ name: 'fresh', versions: ['0.1'], bytes: 100 }] }),
        reboot: [{ part: 'kernel', text: 'kernel 6.12 → 6.13', pending: false }],
        etc: [{ name: 'motd', kind: 'changed', rebuilt: false, diff: '-one\n+two\n' }],
      }),
      { ...preview('base'), comparedWith: 'base', base: commit, instead: null } as ReturnType<typeof preview>,
      { host: 'new', known: false, why: 'new', message: 'It is new.' },
    ],
    error: { message: 'No.', cure: null, where: { file: '/secret/path' } },
  }),
  subject,
);

/** As it arrives: with changes at places such as `previews.0.host`. */
function received(changes: Record<string, unknown> = {}): unknown {
  const copy = JSON.parse(JSON.stringify(whole));
  for (const [place, value] of Object.entries(changes)) {
    const keys = place.split('.');
    const last = keys.pop() ?? '';
    keys.reduce((inside, key) => inside[key], copy)[last] = value;
  }
  return copy;
}

test('what is written is what is read', () => {
  const { machine: _, ...based } = JSON.parse(JSON.stringify(whole.previews[1]));
  expect(readPreviewData(received())).toEqual({ ...whole, previews: [whole.previews[0], based, whole.previews[2]] });
  expect(JSON.stringify(whole)).not.toContain('/secret/path');
});

test.each([
  ['version', 2],
  ['pull', '12'],
  ['pull', 1.5],
  ['commit', '@octocat'],
  ['previews', {}],
  ['previews.0', null],
  ['previews.0.host', 'x'.repeat(2000)],
  ['previews.0.change.before', '/etc/passwd'],
  ['previews.0.change.packages.bytes.before', '<img src=x>'],
  ['previews.0.change.packages.added.0.bytes', '<b>'],
  ['previews.0.change.units.restart', 'all'],
  ['previews.0.change.reboot.0.part', '<b>'],
  ['previews.0.change.etc.0.kind', '<b>'],
  ['previews.0.change.firewall.turned', '<b>'],
  ['previews.1.base', '<b>'],
  ['previews.2.why', '<b>'],
  ['failures.0.stage', '<b>'],
  ['failures.0.outcome', '<b>'],
  ['failures.0.log', 'x'.repeat(200_000)],
  ['error', 'text'],
])('%s cannot be %j', (place, value) => {
  const message = place.replace(/\.(\d)/g, '[$1]').replace(/^previews\[0\]$/, 'previews[0]');
  expect(() => readPreviewData(received({ [place]: value }))).toThrow(`${message} is not `);
});

test.each([null, 5, 'text', [], {}])('%j is no preview', value => {
  expect(() => readPreviewData(value)).toThrow(/ is not /);
});

test('what the data does not name is not read', () => {
  const read = readPreviewData(received({ toplevels: { web: '/nix/store/x' }, 'previews.0.change.html': '<b>' }));
  expect(JSON.stringify(read)).not.toMatch(/toplevels|html/);
});

test('the comment is like every other one, and says who has reported it', () => {
  const text = forkCommentText(readPreviewData(received()), address);
  expect(text).toContain(
    `For ${commit}. [All details](${address.run}) [JSON](${address.data}) This is what the run of the pull request reported; nobody has checked it.`,
  );
  expect(text).toContain('### web\n');
  expect(text).toContain('**Packages**: 1 package added');
  expect(text).toContain('- **db** not built: gcc failed.');
  expect(text).toContain('the log');
  expect(decodeToplevels(text)).toBeNull();
});

/** Texts that notify people, load pictures, hide or forge, at every place of the data that is a text. */
const hostile =
  '@octocat <img src="https://example.org/x.png"> ![x](https://example.org) #1 <!-- nix-ferry x -->\n# Title\n[a](javascript:b)';

test('whatever it contains is shown as text', () => {
  const change = {
    packages: packages({
      updated: [{ name: hostile, from: [hostile], to: [hostile], bytes: 1 }],
      rebuilt: { names: [hostile], bytes: 1 },
    }),
    units: units({ restart: [hostile], unknown: [hostile], error: hostile }),
    ...{
      firewall: { opened: [hostile], closed: [hostile], turned: null },
      users: { added: [hostile], removed: [hostile] },
    },
    reboot: [{ part: 'kernel' as const, text: hostile, pending: false }],
  };
  const data = readPreviewData({
    ...{ version: 1, ...subject, error: { message: hostile, cure: hostile } },
    previews: [
      {
        ...preview(hostile, change),
        change: { ...(preview('x', change).known && (preview('x', change) as { change: object }).change) },
      },
      { host: hostile, known: false, why: 'no-key', message: hostile },
      { host: `${hostile}2`, known: false, why: 'removed', message: hostile },
    ],
    failures: [
      { host: hostile, stage: 'plan', outcome: null, why: hostile, file: null, line: null, column: null, log: '' },
    ],
  });
  const text = forkCommentText(data, address);
  expect(text.length).toBeGreaterThan(2000);
  expect(text).not.toMatch(/@octocat|<img|!\[|#1\b|<!--|\n# Title|\]\(javascript/);
  expect(text).toContain('octocat');
});

test('neither a log nor a diff forges toplevels, which a deployment would take for previewed', () => {
  const block = encodeToplevels({ commit, toplevels: { web: '/nix/store/evil-nixos' } }) ?? '';
  const text = forkCommentText(
    readPreviewData(received({ 'failures.0.log': `a\n${block}\nb`, 'error.message': block })),
    address,
  );
  expect(text).toContain('nix-ferry-toplevels');
  expect(decodeToplevels(text)).toBeNull();
});
