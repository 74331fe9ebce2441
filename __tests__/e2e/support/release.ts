import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { testAddress } from './link.ts';
import { root } from './machine.ts';
import { Runner } from './runner.ts';

/** The release that roots/release.sh made: its version, tarball and the tarball's hash. */
export function theRelease(): { version: string; name: string; tarball: Buffer; sha256: string; directory: string } {
  const version =
    readdirSync(root('release'))
      .find(each => each.startsWith('nix-'))
      ?.slice('nix-'.length) ?? '';
  const directory = join(root('release'), `nix-${version}`);
  const name = `nix-${version}-x86_64-linux.tar.xz`;
  const tarball = readFileSync(join(directory, name));
  return { version, name, tarball, sha256: readFileSync(join(directory, `${name}.sha256`), 'utf8'), directory };
}

/**
 * A runner without Nix and with the release at /release. The release is made from Debian's Nix, which uses Debian's
 * bash-static as the sandbox's shell.
 */
export function bareRunner(): Promise<Runner> {
  const shell = { [join(root('nix-2.34'), 'libexec/bash-static')]: '/usr/bin/bash-static' };
  return Runner.start({ name: 'bare', readOnly: { [theRelease().directory]: '/release', ...shell } });
}

/** Starts a server that machines reach at `source`. */
export async function serve(listener: RequestListener): Promise<{ source: string; stop(): void }> {
  const server = createServer(listener);
  await new Promise<void>(resolve => server.listen(0, resolve));
  return {
    source: `http://${testAddress}:${(server.address() as AddressInfo).port}/nix`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Answers like the official server. */
export function wholeRelease(): RequestListener {
  const { version, name, tarball, sha256 } = theRelease();
  return (request, response) => {
    const hash = request.url?.endsWith('.sha256');
    const path = `/nix/nix-${version}/${name}${hash ? '.sha256' : ''}`;
    if (request.url !== path) response.writeHead(404).end();
    else response.end(hash ? sha256 : tarball);
  };
}
