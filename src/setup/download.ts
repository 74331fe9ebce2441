import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';

/** How long and how often a server is asked; milliseconds. */
export interface Patience {
  attempts: number;
  /** Without a byte. */
  stall: number;
  /** Before the second attempt; doubles with each further one, up to a minute. */
  pause: number;
}

export const patience: Patience = { attempts: 5, stall: 30_000, pause: 500 };

/** The server could not be reached, or kept failing; another source may do better. */
export class UnreachableError extends UserError {
  override name = 'UnreachableError';
}

/** The server says that there is no such file. */
export class MissingError extends UserError {
  override name = 'MissingError';
}

/** What may pass: the next attempt follows, after `wait` milliseconds where the server names them. */
class PassingError extends Error {
  readonly wait: number | null;
  constructor(message: string, wait: number | null = null) {
    super(message);
    this.wait = wait;
  }
}

/**
 * Fetches `url` into `file`; status, kind, length and hash are checked before it returns, and a file that is not right is
 * removed.
 *
 * @param sha256 64 hex digits.
 * @throws UnreachableError, MissingError; UserError when the content is not what the hash says.
 */
export async function download(
  url: string,
  file: string,
  sha256: string,
  context: Context,
  patient: Patience = patience,
): Promise<void> {
  await persistently(url, context, patient, async stall => {
    const { body, length } = await request(url, context, stall);
    const { hash, size, head } = await write(file, body, stall);
    if (hash === sha256) return;
    await rm(file, { force: true });
    // An error page with status 200 is how many a proxy fails (nix-quick-install-action#71); it may pass.
    if (isPage(head)) throw new PassingError('it answers with an HTML page');
    if (length !== null && size !== length) throw new PassingError(`it sent ${size} of ${length} bytes`);
    throw new UserError(`${url} has the SHA-256 ${hash}, not ${sha256}: it is not used.`, {
      cure: 'Compare the hash with the one that the release publishes; if it is another, somebody changed the file.',
    });
  });
}

/** The text of a small file. @throws as `download` */
export async function fetchText(url: string, context: Context, patient: Patience = patience): Promise<string> {
  return persistently(url, context, patient, async stall => {
    const { body } = await request(url, context, stall);
    const chunks: Buffer[] = [];
    await take(body, stall, chunk => chunks.push(chunk));
    const content = Buffer.concat(chunks);
    if (isPage(content)) throw new PassingError('it answers with an HTML page');
    return content.toString();
  });
}

async function persistently<T>(
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
        throw new UserError(`The disk is full: there is no space to fetch ${url}.`, {
          cure: 'Free space before the step.',
          cause: error,
        });
      }
      const why = stall.over ? `it sent nothing for ${patient.stall / 1000} s` : reason(error);
      // A name that does not resolve, a network that is not there: one more attempt tells as much as four.
      const attempts = isOffline(error) ? Math.min(2, patient.attempts) : patient.attempts;
      if (count >= attempts) {
        throw new UnreachableError(`${url} cannot be had: ${why}, ${count} times.`, {
          cure: 'Give a mirror or a local tarball in `nix-source`.',
          cause: error,
        });
      }
      const asked = error instanceof PassingError ? error.wait : null;
      const wait = Math.min(asked ?? patient.pause * 2 ** (count - 1), 60_000);
      context.log.info(`${url}: ${why}; again in ${wait / 1000} s.`);
      await sleep(wait, undefined, { signal: context.signal });
    } finally {
      stall.end();
    }
  }
}

/**
 * One request, following redirects. By Node's http and not by fetch, whose streams take half as long again for a file of
 * some 50 MB: as much as all the rest of the set-up.
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
      cure: 'Give a version that is released, as `nix-version: 2.34.4`, or the source that has it in `nix-source`.',
    });
  }
  const after = Number(headers['retry-after'] ?? Number.NaN);
  throw new PassingError(`it answers with status ${status}`, Number.isFinite(after) ? after * 1000 : null);
}

/**
 * An agent by way of the proxy that the environment names for `url`, if any: `https_proxy`, `http_proxy` and `no_proxy`, in
 * either case. The library reads them itself, and is loaded only where there are any.
 */
async function proxyAgent(url: string, { environment }: Context): Promise<http.Agent | undefined> {
  if (!Object.keys(environment).some(name => /^https?_proxy$/i.test(name))) return undefined;
  const { HttpClient } = await import('@actions/http-client');
  return new HttpClient('nix-ferry').getAgent(url);
}

/** Gives each chunk of `body` to `each`, as an event: other ways to read it take longer, an async iterator twice as long. */
async function take(body: IncomingMessage, stall: Stall, each: (chunk: Buffer) => void): Promise<void> {
  body.on('data', (chunk: Buffer) => {
    stall.heard();
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
  // Written at once, not through promises: they cost more than the writing, and nothing else waits for this thread.
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

/** Ends a request that has been silent for too long. */
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

  heard(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
