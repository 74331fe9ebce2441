import { expect, test } from '@jest/globals';
import { commentText } from '../../src/report/comment-text.ts';
import { decodeToplevels, encodeToplevels } from '../../src/report/previewed-block.ts';
import { preview } from './previews.ts';
import { built, host, run } from './run.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';
const subject = { commit, run: 'https://github.com/o/r/actions/runs/7', data: null };
const previewed = (...hosts: string[]) =>
  run({ mode: 'preview', built: hosts.map(name => built(name)), previews: hosts.map(name => preview(name)) });

test('the comment names the commit that it describes and links to its run', () => {
  expect(commentText(previewed('web'), subject)).toMatch(
    `## Nix Ferry: 1 host would change\n\nFor ${commit}. [All details](https://github.com/o/r/actions/runs/7)\n\n`,
  );
  const data = `${subject.run}/artifacts/3`;
  expect(commentText(previewed('web'), { ...subject, data })).toContain(
    `[All details](${subject.run}) [JSON](${data})\n`,
  );
  expect(commentText(previewed('web'), { commit: '@everyone', run: null, data: null })).not.toContain('@everyone');
});

test('a preview carries the toplevels that were built, hidden', () => {
  const failed = {
    ...{ host: host('db'), ok: false as const },
    failure: { message: 'gcc failed.', drvPath: null, log: '', place: null },
  };
  const done = previewed('web');
  expect(decodeToplevels(commentText({ ...done, built: [...done.built, failed] }, subject))).toEqual({
    commit,
    toplevels: { web: '/nix/store/bbbb-nixos' },
  });
  expect(decodeToplevels(commentText(run({ built: [built('web')] }), subject))).toBeNull();
});

test("a host's name cannot end the block, and a block of something else is not read", () => {
  const toplevels = { '--> <b>': '/nix/store/bbbb-nixos' };
  const block = encodeToplevels({ commit, toplevels }) ?? '';
  expect(block.indexOf('-->')).toBe(block.length - 3);
  expect(decodeToplevels(`text\n${block}\nmore`)).toEqual({ commit, toplevels });
  const other = Buffer.from(JSON.stringify({ commit, toplevels: { web: '/etc/passwd' } })).toString('base64url');
  expect(decodeToplevels(`<!-- nix-ferry-toplevels ${other} -->`)).toBeNull();
  expect(decodeToplevels('<!-- nix-ferry-toplevels e30x -->')).toBeNull();
});

test.each([60, 1000])('%i hosts fit into a comment', number => {
  const names = Array.from({ length: number }, (_, index) => `web-${index}.example.org`);
  const text = commentText(previewed(...names), subject);
  expect(text.length).toBeLessThan(65_000);
  expect(text).toContain(`### ${number} hosts with the same change`);
  expect(decodeToplevels(text) === null).toBe(number === 1000);
});
