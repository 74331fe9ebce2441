import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';

/** How long to wait for a server and how often to try; times are in milliseconds. */
export interface Patience {
  attempts: number;
  /** An attempt fails after this time without a byte. */
  stall: number;
  /** The pause before the second attempt; it doubles with each further one, up to a minute. */
  pause: number;
}

export const patience: Patience = { attempts: 5, stall: 30_000, pause: 500 };

/** The server could not be reached or kept failing; another source may work. */
export class UnreachableError extends UserError {
  override name = 'UnreachableError';
}

/** The server has no such file. */
export class MissingError extends UserError {
  override name = 'MissingError';
}

/** A failure that may be temporary; `wait` is the pause in milliseconds that the server asked for. */
class TemporaryError extends Error {
  readonly wait: number | null;
  constructor(message: string, wait: number | null = null) {
    super(message);
    this.wait = wait;
  }
}

/**
 * Downloads `url` to `file` and checks status, content, length and hash. A file that is not as expected is removed.
 *
 * @param sha256 64 hex digits.
 * @throws UnreachableError, MissingError; UserError if the hash differs.
 */
export async function download(
  url: string,
  file: string,
  sha256: string,
  context: Context,
  patient: Patience = patience,
): Promise<void> {
  await retrying(url, context, patient, async stall => {
    const { body, length } = await request(url, context, stall);
    const { hash, size, head } = await write(file, body, stall);
    if (hash === sha256) return;
    await rm(file, { force: true });
    // Many proxies fail with an error page and status 200 (nix-quick-install-action#71); that may be temporary.
    if (isPage(head)) throw new TemporaryError('the server sent an HTML page');
    if (length !== null && size !== length) throw new TemporaryError(`the server sent ${size} of ${length} bytes`);
    throw new UserError(`${url} is not used: its SHA-256 is ${hash}, not ${sha256}.`, {
      cure: 'Compare the hash with the one that the release publishes; if they differ, someone changed the file.',
    });
  });
}

/** The text of a small file. @throws UnreachableError, MissingError */
export async function fetchText(url: string, context: Context, patient: Patience = patience): Promise<string> {
  return retrying(url, context, patient, async stall => {
    const { body } = await request(url, context, stall);
    const chunks: Buffer[] = [];
    await take(body, stall, chunk => chunks.push(chunk));
    const content = Buffer.concat(chunks);
    if (isPage(content)) throw new TemporaryError('the server sent an HTML page');
    return content.toString();
  });
}

/** Retries `attempt` after temporary failures. @throws UnreachableError when all attempts have failed */
async function retrying<T>(
  url: string,
  context: Context,
  patient: Patience,
  attempt: (stall: Stall) => Promise<T>,
): Promise<T> {
  for (let count = 1; ; count++) {
    const stall = new Stall(patient.stall, context.signal);
    try {
      return await attempt(stall);
    } catch (error) {
      if (error instanceof UserError || context.signal.aborted) throw error;
      if ((error as { code?: string }).code === 'ENOSPC') {
        throw new UserError(`The disk is full: there is no space to download ${url}.`, {
          cure: 'Free space before the step.',
          cause: error,
        });
      }
      const why = stall.over ? `the server sent nothing for ${patient.stall / 1000} s` : reason(error);
      // If a name does not resolve or there is no network, further attempts are unlikely to help.
      const attempts = isOffline(error) ? Math.min(2, patient.attempts) : patient.attempts;
      if (count >= attempts) {
        const after = `after ${count} ${count === 1 ? 'attempt' : 'attempts'}`;
        throw new UnreachableError(`${url} could not be downloaded ${after}: ${why}.`, {
          cure: 'Set `nix-source` to a mirror or a local tarball.',
          cause: error,
        });
      }
      const requested = error instanceof TemporaryError ? error.wait : null;
      const wait = Math.min(requested ?? patient.pause * 2 ** (count - 1), 60_000);
      context.log.info(`${url}: ${why}. Trying again in ${wait / 1000} s.`);
      await sleep(wait, undefined, { signal: context.signal });
    } finally {
      stall.end();
    }
  }
}

/**
 * Sends one request and follows redirects. It uses Node's http because fetch takes 1.5 times as long for a file of 50 MB,
 * and the difference is as long as the rest of the set-up.
 */
async function request(
  url: string,
  context: Context,
  stall: Stall,
  redirects = 5,
): Promise<{ body: IncomingMessage; length: number | null }> {
  const agent = await proxyAgent(url, context);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const get = url.startsWith('https:') ? https.get : http.get;
    get(url, { agent, signal: stall.signal, headers: { 'user-agent': 'nix-ferry' } }, resolve).once('error', reject);
  });
  const { statusCode: status = 0, headers } = response;
  if (status === 200) {
    const length = headers['content-length'];
    return { body: response, length: length === undefined ? null : Number(length) };
  }
  response.destroy();
  if ([301, 302, 303, 307, 308].includes(status) && headers.location !== undefined && redirects > 0) {
    const next = new URL(headers.location, url);
    if (next.protocol === 'https:' || url.startsWith('http:')) return request(next.href, context, stall, redirects - 1);
  }
  if (status === 404 || status === 410) {
    throw new MissingError(`${url} does not exist (status ${status}).`, {
      cure: 'Set `nix-version` to a released version, such as 2.34.4, or `nix-source` to a source that has it.',
    });
  }
  const after = Number(headers['retry-after'] ?? Number.NaN);
  throw new TemporaryError(`the server answered with status ${status}`, Number.isFinite(after) ? after * 1000 : null);
}

/**
 * An agent for the proxy that the environment names for `url`, if any: `https_proxy`, `http_proxy` and `no_proxy`, in upper
 * or lower case. The library reads them itself, and is only loaded if there are any.
 */
async function proxyAgent(url: string, { environment }: Context): Promise<http.Agent | undefined> {
  if (!Object.keys(environment).some(name => /^https?_proxy$/i.test(name))) return undefined;
  const { HttpClient } = await import('@actions/http-client');
  return new HttpClient('nix-ferry').getAgent(url);
}

/** Calls `each` with every chunk. It uses events, since an async iterator takes twice as long. */
async function take(body: IncomingMessage, stall: Stall, each: (chunk: Buffer) => void): Promise<void> {
  body.on('data', (chunk: Buffer) => {
    stall.received();
    try {
      each(chunk);
    } catch (error) {
      body.destroy(error as Error);
    }
  });
  await finished(body);
}

async function write(
  file: string,
  body: IncomingMessage,
  stall: Stall,
): Promise<{ hash: string; size: number; head: Buffer }> {
  const hash = createHash('sha256');
  // Synchronous: promises cost more than the writing, and nothing else needs this thread.
  const handle = openSync(file, 'w', 0o600);
  let size = 0;
  let head: Buffer = Buffer.alloc(0);
  try {
    await take(body, stall, chunk => {
      hash.update(chunk);
      if (size === 0) head = Buffer.from(chunk.subarray(0, 256));
      size += chunk.length;
      writeSync(handle, chunk);
    });
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
  return { hash: hash.digest('hex'), size, head };
}

function isPage(content: Buffer): boolean {
  return /^\s*<(!doctype|html|head|\?xml)/i.test(content.toString('latin1', 0, 256));
}

function reason(error: unknown): string {
  return (error as { code?: string }).code ?? (error instanceof Error ? error.message : String(error));
}

function isOffline(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? '';
  return ['ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH'].includes(code);
}

/** Ends a request that has received nothing for too long. */
class Stall {
  readonly signal: AbortSignal;
  over = false;
  readonly #timer: NodeJS.Timeout;

  constructor(milliseconds: number, outer: AbortSignal) {
    const controller = new AbortController();
    this.signal = AbortSignal.any([outer, controller.signal]);
    this.#timer = setTimeout(() => {
      this.over = true;
      controller.abort();
    }, milliseconds);
  }

  received(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
