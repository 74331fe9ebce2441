import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { appendOutcome, findPreviewed, type PreviewedPlace } from '../../src/report/previewed.ts';
import { encodeToplevels } from '../../src/report/previewed-block.ts';
import { outcomeMarkdown } from '../../src/report/previewed-text.ts';
import { summary } from '../../src/report/summary.ts';
import { checkPreviewed } from '../../src/require-preview.ts';
import { change, packages, units } from './previews.ts';
import { built, outcome, run } from './run.ts';

/** GitHub's routes for the pull requests of a commit and their comments, served on loopback. */
let server: Server;
let place: PreviewedPlace;
let pulls: { number: number; merged_at: string | null }[];
let comments: { id: number; body: string; user: { login: string }; pull: number }[];
let asked: string[];
let status = 0;
const login = 'github-actions[bot]';
const commit = '0123456789abcdef0123456789abcdef01234567';

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      const { pathname } = new URL(request.url ?? '', 'http://localhost');
      asked.push(`${request.method} ${pathname}`);
      const answer = (code: number, body: unknown) =>
        response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (status !== 0) return answer(status, { message: 'Resource not accessible by integration' });
      if (pathname === '/graphql') return answer(200, { data: { viewer: { login } } });
      if (pathname === `/repos/o/r/commits/${commit}/pulls`) return answer(200, pulls);
      const [, pull] = /^\/repos\/o\/r\/issues\/(\d+)\/comments$/.exec(pathname) ?? [];
      if (pull !== undefined)
        return answer(
          200,
          comments.filter(comment => String(comment.pull) === pull),
        );
      const [, id] = /^\/repos\/o\/r\/issues\/comments\/(\d+)$/.exec(pathname) ?? [];
      const comment = comments.find(each => String(each.id) === id);
      if (comment === undefined) return answer(404, { message: 'Not Found' });
      if (request.method === 'PATCH') {
        comment.body = (JSON.parse(Buffer.concat(chunks).toString()) as { body: string }).body;
      }
      return answer(200, comment);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  place = {
    api: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ repository: 'o/r', token: 'secret' },
  };
});
afterAll(() => void server.close());
beforeEach(() => {
  pulls = [{ number: 12, merged_at: '2026-01-01T00:00:00Z' }];
  comments = [];
  asked = [];
  status = 0;
});

const block = (toplevels: Record<string, string>): string => encodeToplevels({ commit, toplevels }) ?? '';

describe('what a pull request has previewed', () => {
  test('all own comments count, those of other users do not', async () => {
    comments = [
      { id: 1, pull: 12, user: { login }, body: `text\n${block({ web: '/nix/store/a-web' })}\n` },
      { id: 2, pull: 12, user: { login: 'mallory' }, body: block({ web: '/nix/store/evil' }) },
      { id: 3, pull: 12, user: { login }, body: block({ db: '/nix/store/a-db', web: '/nix/store/b-web' }) },
    ];
    expect(await findPreviewed(commit, place)).toEqual({
      pull: 12,
      toplevels: { web: ['/nix/store/a-web', '/nix/store/b-web'], db: ['/nix/store/a-db'] },
      comments: [1, 3],
    });
  });

  test('a pull request that is not merged does not count', async () => {
    pulls = [{ number: 12, merged_at: null }];
    comments = [{ id: 1, pull: 12, user: { login }, body: block({ web: '/nix/store/a-web' }) }];
    expect(await findPreviewed(commit, place)).toEqual({ pull: null, toplevels: {}, comments: [] });
  });

  test('a refusal repeats what GitHub said', async () => {
    status = 403;
    await expect(findPreviewed(commit, place)).rejects.toThrow(/status 403: .*not accessible/);
  });
});

test('the outcome is appended, and a repeated run replaces its own', async () => {
  comments = [{ id: 1, pull: 12, user: { login }, body: `text\n${block({ web: '/nix/store/a-web' })}\n` }];
  const found = await findPreviewed(commit, place);
  await appendOutcome('first', found, 7, place);
  await appendOutcome('other', found, 8, place);
  await appendOutcome('second', found, 7, place);
  const body = comments[0]?.body ?? '';
  expect([body.includes('first'), body.includes('other'), body.includes('second')]).toEqual([false, true, true]);
  expect(body.startsWith('text\n<!-- nix-ferry-toplevels ')).toBe(true);
  expect((await findPreviewed(commit, place)).toplevels).toEqual(found.toplevels);
});

const previewed = {
  pull: 12,
  toplevels: { web: ['/nix/store/bbbb-nixos'], api: ['/nix/store/cccc-nixos'] },
  comments: [1],
  changes: {},
};

test('the summary and the comment say which hosts are as previewed, and how the others differ', () => {
  const done = run({
    built: [built('web'), built('api'), built('db')],
    outcomes: [outcome('web', 'deployed'), outcome('api', 'deployed'), outcome('db', 'unreachable')],
    previewed,
  });
  for (const text of [summary(done), outcomeMarkdown(done, 'https://github.com/o/r/actions/runs/7')]) {
    expect(text).toContain('**As previewed in #12**: web');
    expect(text).toContain(
      '**Not as previewed in #12**: api: previewed <code>/nix/store/cccc-nixos</code>, built <code>/nix/store/bbbb-nixos</code>',
    );
    expect(text).toContain('**Not previewed in #12**: db');
  }
  expect(outcomeMarkdown(done, 'https://github.com/o/r/actions/runs/7')).toMatch(
    '**Deployment**: 2 deployed, 1 unreachable ([run](https://github.com/o/r/actions/runs/7))\n\n- **db** unreachable',
  );
});

test('what differs from the preview, in short in both and in full in the summary', () => {
  const updated = [{ name: 'nginx', from: ['1.26.0'], to: ['1.27.1'], bytes: 2048 }];
  const restart = Array.from({ length: 10 }, (_, n) => `unit-${n}.service`);
  const differs = change('api', { units: units({ restart }), packages: packages({ updated }) });
  const done = run({
    built: ['api', 'db', 'pi'].map(name => built(name)),
    previewed: {
      ...previewed,
      toplevels: { api: ['/nix/store/x'], db: ['/nix/store/x'], pi: ['/nix/store/x'] },
      changes: { api: differs, db: { ...differs, before: '/nix/store/other' } },
    },
  });
  const brief = `What differs:

- 2 hosts (api, db): nginx 1.26.0 &#8594; 1.27.1; ${restart.slice(0, 8).join(', ')} and 2 more
- pi: not known
`;
  expect(summary(done)).toContain(brief);
  expect(summary(done)).toContain('<summary>What differs from the preview: 2 hosts (api, db)</summary>');
  const comment = outcomeMarkdown(done, 'https://github.com/o/r/actions/runs/7');
  expect(`${comment}\n`).toContain(brief.trimEnd());
  expect(comment).not.toContain('<details>');
});

describe('require-preview', () => {
  const warnings: string[] = [];
  const context = { log: { warning: (text: string) => warnings.push(text) } } as unknown as Parameters<
    typeof checkPreviewed
  >[2];
  const find = async () => previewed;
  const web = ['web', '/nix/store/bbbb-nixos'] as const;
  const api = ['api', '/nix/store/bbbb-nixos'] as const;

  test('a system that was previewed is deployed', async () => {
    expect(await checkPreviewed({ toplevels: [web], required: true }, find, context)).toBe(previewed);
  });

  test.each([
    ['another system', api],
    ['a host without a preview', ['db', '/nix/store/bbbb-nixos'] as const],
  ])('%s is refused', async (_, host) => {
    const check = checkPreviewed({ toplevels: [web, host], required: true }, find, context);
    await expect(check).rejects.toThrow(
      `Nobody has previewed what would be deployed to ${host[0]}. Nothing was deployed.`,
    );
  });

  test('what differs is known before it is refused', async () => {
    const asked: unknown[] = [];
    const onFound = async (...args: unknown[]): Promise<void> => void asked.push(args);
    const wanted = { toplevels: [web, api, ['db', '/nix/store/x'] as const], required: true };
    await expect(checkPreviewed(wanted, find, context, onFound)).rejects.toThrow('api, db');
    const differing = [{ host: 'api', previewed: '/nix/store/cccc-nixos', built: '/nix/store/bbbb-nixos' }];
    expect(asked).toEqual([[previewed, differing]]);
  });

  test('without it, a difference is only reported', async () => {
    expect(await checkPreviewed({ toplevels: [api], required: false }, find, context)).toBe(previewed);
  });

  test('if GitHub does not answer, it is a warning, or a refusal if a preview is required', async () => {
    const fails = async () => Promise.reject(new Error('status 403'));
    expect(await checkPreviewed({ toplevels: [web], required: false }, fails, context)).toBeNull();
    expect(warnings.join()).toContain('status 403');
    await expect(checkPreviewed({ toplevels: [web], required: true }, fails, context)).rejects.toThrow('status 403');
    await expect(checkPreviewed({ toplevels: [web], required: true }, null, context)).rejects.toThrow(
      'needs a workflow',
    );
  });
});
