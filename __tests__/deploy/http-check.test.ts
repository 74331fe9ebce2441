import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type HttpCheck, untilPassed } from '../../src/deploy/http-check.ts';
import { checkAddress, lookup } from '../../src/deploy/metadata-services.ts';

let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((_, answer) => answer.writeHead(302, { location: 'http://169.254.169.254/latest' }).end());
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const check = (host: string, at = 80): HttpCheck => ({
  ...{ description: 'evil', host, port: at, scheme: 'http', path: '/', headers: {} },
  ...{ period: 1, timeout: 2, insecureSSL: false },
});

test.each([
  ['itself', '169.254.169.254'],
  ['itself, as an IPv6 address', '::ffff:169.254.169.254'],
  ['itself, over IPv6', 'fd00:ec2::254'],
  ['itself, as a number', '2852039166'],
  ['by a redirection', '127.0.0.1'],
])('a check of a source does not ask a metadata service: %s', async (_, host) => {
  const checks = [check(host, host === '127.0.0.1' ? port : 80)];
  const failure = await untilPassed(checks, '192.0.2.1', 1, new AbortController().signal, 'health check');
  expect(failure).toContain('it is the address of a metadata service');
});

test('a name that leads there is an error; others are not', async () => {
  const found = (name: string) =>
    new Promise(resolve => lookup(name, { family: 4 }, (error, address) => resolve(error?.message ?? address)));
  expect(await found('localhost')).toBe('127.0.0.1');
  // Not a name, but it is looked up in the same way.
  expect(await found('169.254.169.254')).toContain('metadata service');
  expect(() => checkAddress('[2001:db8::1]')).not.toThrow();
});
