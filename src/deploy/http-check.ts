import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthChecks } from '../plan/fleet.ts';
import { checkAddress, lookup } from './metadata-services.ts';

export type HttpCheck = HealthChecks['http'][number];

/** Redirections that are followed, as by Go's client, which morph uses. */
const mostRedirects = 10;

/**
 * Repeats the checks, all at once and each with its own period, until every one has passed.
 *
 * @param address where checks without a host of their own go.
 * @param limit seconds for all of them together.
 * @param what they are, for the reason.
 * @returns why one of them never passed, in words; null if all passed.
 */
export async function untilPassed(
  checks: readonly HttpCheck[],
  address: string,
  limit: number,
  signal: AbortSignal,
  what: 'health check' | 'pre-deploy check',
): Promise<string | null> {
  const end = Date.now() + limit * 1000;
  const failures = await Promise.all(
    checks.map(async check => {
      for (;;) {
        const left = end - Date.now();
        const failure = await failureOf(check, address, Math.max(left, 1), signal);
        if (failure === null) return null;
        if (signal.aborted || Date.now() + check.period * 1000 >= end) {
          return `the ${what} "${nameOf(check)}" failed for ${limit} s: ${failure}`;
        }
        await sleep(check.period * 1000, undefined, { signal }).catch(() => undefined);
      }
    }),
  );
  return failures.find(failure => failure !== null) ?? null;
}

function nameOf(check: HttpCheck): string {
  return check.description || check.path;
}

/** As morph: a check passes if the answer to a GET, after redirections, has a status from 200 to 299. */
async function failureOf(check: HttpCheck, address: string, most: number, signal: AbortSignal): Promise<string | null> {
  const host = check.host ?? address;
  const name = isIPv6(host) ? `[${host}]` : host;
  const time = AbortSignal.timeout(Math.ceil(Math.min(check.timeout * 1000, most)));
  const url = new URL(`${check.scheme}://${name}:${check.port}${check.path}`);
  try {
    const status = await get(url, check, AbortSignal.any([signal, time]), mostRedirects);
    return status >= 200 && status <= 299 ? null : `${url} answered with status ${status}`;
  } catch (error) {
    if (time.aborted) return `${url} did not answer within ${check.timeout} s`;
    return `${url}: ${(error as Error).message || (error as NodeJS.ErrnoException).code}`;
  }
}

/** The status of the answer, after redirections. */
async function get(url: URL, check: HttpCheck, signal: AbortSignal, redirects: number): Promise<number> {
  const { status, location } = await ask(url, check, signal);
  if (status < 300 || status > 399 || location === undefined) return status;
  if (redirects === 0) throw new Error('too many redirections');
  return get(new URL(location, url), check, signal, redirects - 1);
}

/** Not `fetch`: it cannot accept a certificate that nobody signed. */
function ask(
  url: URL,
  { headers, insecureSSL }: HttpCheck,
  signal: AbortSignal,
): Promise<{ status: number; location: string | undefined }> {
  return new Promise((resolve, reject) => {
    checkAddress(url.hostname);
    const options = { headers, signal, lookup, agent: false as const };
    const answered = (answer: IncomingMessage): void => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, location: answer.headers.location });
    };
    const call =
      url.protocol === 'https:'
        ? tlsRequest(url, { ...options, rejectUnauthorized: !insecureSSL }, answered)
        : plainRequest(url, options, answered);
    call.on('error', reject).end();
  });
}
