import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type CommentPlace, keepComment } from '../../src/report/comment.ts';

/** GitHub's comments of one pull request, served on loopback: the paths and answers of its REST API. */
let server: Server;
let place: CommentPlace;
let comments: { id: number; body: string; user: { login: string } }[];
const user = { login: 'github-actions[bot]' };
let asked: string[];
let status = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://localhost');
      asked.push(`${request.method} ${url.pathname}`);
      const answer = (code: number, body: unknown) =>
        response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (status !== 0) return answer(status, { message: 'Resource not accessible by integration' });
      if (request.headers.authorization !== 'token secret') return answer(401, {});
      const given = chunks.length === 0 ? null : (JSON.parse(Buffer.concat(chunks).toString()) as { body: string });
      if (url.pathname === '/graphql') return answer(200, { data: { viewer: user } });
      if (request.method === 'GET') {
        const page = Number(url.searchParams.get('page') ?? 1);
        const size = Number(url.searchParams.get('per_page'));
        // As GitHub does while there are further pages.
        const next = `${place.api}${url.pathname}?per_page=${size}&page=${page + 1}`;
        if (page * size < comments.length) response.setHeader('link', `<${next}>; rel="next"`);
        return answer(200, comments.slice((page - 1) * size, page * size));
      }
      const id = Number(url.pathname.split('/').at(-1));
      const own = comments.find(comment => comment.id === id);
      if (request.method === 'PATCH' && own !== undefined) own.body = given?.body ?? '';
      else comments.push({ id: comments.length + 1, body: given?.body ?? '', user });
      return answer(200, {});
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  place = { api: `http://127.0.0.1:${port}`, repository: 'o/r', number: 7, token: 'secret', key: 'deploy / plan' };
});
afterAll(() => void server.close());
beforeEach(() => {
  comments = [];
  asked = [];
  status = 0;
});

test('created once, updated afterwards, wherever it is', async () => {
  comments = Array.from({ length: 120 }, (_, id) => ({ id, body: 'from someone else', user }));
  await keepComment('first', place);
  await keepComment('second', place);
  expect(comments).toHaveLength(121);
  expect(comments.at(-1)?.body).toBe('<!-- nix-ferry deploy / plan -->\nsecond');
  expect(asked.at(-1)).toBe('PATCH /repos/o/r/issues/comments/121');
});

test("another step's comment is left alone, and a key cannot end the marker", async () => {
  await keepComment('one', place);
  await keepComment('two', { ...place, key: 'x --> <b>' });
  expect(comments.map(({ body }) => body)).toEqual([
    '<!-- nix-ferry deploy / plan -->\none',
    '<!-- nix-ferry x ___ _b_ -->\ntwo',
  ]);
});

test('a comment with the marker that somebody else wrote is not taken for our own', async () => {
  const body = '<!-- nix-ferry deploy / plan -->\nLooks good, merge it';
  comments = [{ id: 1, body, user: { login: 'mallory' } }];
  await keepComment('first', place);
  await keepComment('second', place);
  expect(comments.map(comment => [comment.user.login, comment.body])).toEqual([
    ['mallory', body],
    [user.login, '<!-- nix-ferry deploy / plan -->\nsecond'],
  ]);
});

test('a refusal repeats what GitHub said, but not the token', async () => {
  status = 403;
  const failure = await keepComment('x', place).catch((error: Error) => error.message);
  expect(failure).toMatch(/403: .*not accessible by integration/);
  expect(failure).not.toContain('secret');
});
