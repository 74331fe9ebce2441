import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { exec } from '../../../src/exec.ts';
import { testAddress } from '../support/link.ts';
import { bareRunner, theRelease, wholeRelease } from '../support/release.ts';
import type { Runner } from '../support/runner.ts';
import { drive } from '../support/setup.ts';

/*
 * A release that is downloaded through a tunneling proxy, as companies have. The machine cannot resolve the name of the
 * release server, so only requests through the proxy succeed.
 */
const { version, sha256 } = theRelease();
const port = (server: Server): number => (server.address() as AddressInfo).port;
const asked: string[] = [];
let runner: Runner;
let plain: Server;
let secure: Server;
let proxy: Server;
let certificate: string;

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'certificate-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const names = ['-subj', '/CN=releases.example', '-addext', 'subjectAltName=DNS:releases.example'];
  const form = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await exec('openssl', ['req', ...form, ...names, '-keyout', key, '-out', cert]);
  certificate = readFileSync(cert, 'utf8');

  plain = createHttpServer(wholeRelease()).listen(0);
  secure = createHttpsServer({ key: readFileSync(key), cert: certificate }, wholeRelease()).listen(0);
  proxy = createHttpServer((_request, response) => void response.writeHead(405).end()).listen(0);
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const upstream = connect(request.url?.endsWith(':443') ? port(secure) : port(plain), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    for (const end of [socket, upstream]) end.on('error', () => upstream.destroy());
  });
});
beforeEach(async () => {
  asked.length = 0;
  runner = await bareRunner();
  await runner.run(['sh', '-c', 'cat >/home/runner/ca.pem'], { input: certificate });
});
afterAll(() => {
  for (const server of [plain, secure, proxy]) {
    server.closeAllConnections();
    server.close();
  }
});

async function install(source: string, env: Record<string, string>) {
  const patience = { attempts: 1, stall: 2_000, pause: 20 };
  const config = { nixVersion: `${version}@sha256:${sha256}`, nixSource: source, patience };
  const all = { NODE_EXTRA_CA_CERTS: '/home/runner/ca.pem', ...env };
  const answer = await drive(runner, { config, end: 'teardown' }, 'runner', all);
  await runner.stop();
  return answer;
}

test.each([
  ['https_proxy', 'https', 443],
  ['HTTPS_PROXY', 'https', 443],
  ['http_proxy', 'http', 80],
  ['HTTP_PROXY', 'http', 80],
])('a release is downloaded through the proxy in %s', async (name, scheme, at) => {
  const { error, version: installed } = await install(`${scheme}://releases.example/nix`, {
    [name]: `http://${testAddress}:${port(proxy)}`,
  });
  expect(error).toBeNull();
  expect(installed).toBe(version);
  expect(asked).toEqual([`releases.example:${at}`]);
});

test.each(['no_proxy', 'NO_PROXY'])('%s names servers that are connected to directly', async name => {
  const env = { http_proxy: `http://${testAddress}:${port(proxy)}`, [name]: `other.example,${testAddress}` };
  const { error } = await install(`http://${testAddress}:${port(plain)}/nix`, env);
  expect(error).toBeNull();
  expect(asked).toEqual([]);
});

test('a proxy that does not exist is an error with the URL of the release and a cure', async () => {
  const { error } = await install('https://releases.example/nix', { https_proxy: `http://${testAddress}:1` });
  expect(error).toMatchObject({
    message: expect.stringMatching(/^https:\/\/releases\.example\S+ could not be downloaded after \d+ attempts?: /),
  });
  expect(error?.cure).toContain('nix-source');
});
