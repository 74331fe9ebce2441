import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keepComment } from '../src/report/comment.ts';

/** GitHub's API on loopback, which only the proxy can reach. */
let api: Server;
let proxy: Server;
const asked: string[] = [];
const tunnels: string[] = [];

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const listening = (server: Server) => new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));

beforeAll(async () => {
  api = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
  });
  proxy = createServer().on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    const upstream = connect(portOf(api), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    socket.on('error', () => upstream.destroy());
  });
  await Promise.all([listening(api), listening(proxy)]);
  process.env.GITHUB_API_URL = 'http://api.github.example';
  process.env.http_proxy = `http://127.0.0.1:${portOf(proxy)}`;
});
afterAll(() => {
  delete process.env.GITHUB_API_URL;
  delete process.env.http_proxy;
  for (const server of [api, proxy]) {
    server.close();
    server.closeAllConnections();
  }
});

test('requests to GitHub go through the proxy that the environment names', async () => {
  const place = { api: 'http://api.github.example', repository: 'o/r', number: 7, token: 'secret', key: 'deploy' };
  await keepComment('text', place);
  expect(tunnels).toContain('api.github.example:80');
  expect(asked).toEqual(['GET /repos/o/r/issues/7/comments?per_page=100', 'POST /repos/o/r/issues/7/comments']);
});
