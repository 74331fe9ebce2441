import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { testAddress } from './link.ts';
import type { StoredArtifact } from './results.ts';

/**
 * The part of GitHub's REST API that a run asks about another run, number 7 of octocat/fleet, and about comments of a pull
 * request. It does not check tokens.
 */
export class RestApi {
  /** The artifacts of run 7. */
  artifacts: readonly StoredArtifact[] = [];
  /** The open pull requests. */
  pulls: readonly object[] = [];
  /** The bodies of the comments that were created; the first has the id 1. */
  readonly comments: string[] = [];
  /** The requests that changed something: method and path. */
  readonly writes: string[] = [];
  /** Whether comments are found again. All are of one user, and of pull request 12. */
  readonly #keeps: boolean;
  readonly url: string;
  readonly #close: () => void;

  private constructor(url: string, keeps: boolean, close: () => void) {
    this.url = url;
    this.#keeps = keeps;
    this.#close = close;
  }

  static async start({ keepsComments = false } = {}): Promise<RestApi> {
    const server = createServer((request, response) => {
      const path = (request.url ?? '').replace(/\?.*$/, '');
      const chunks: Buffer[] = [];
      request
        .on('data', chunk => chunks.push(chunk))
        .on('end', () => {
          const body = Buffer.concat(chunks).toString();
          if (request.method !== 'GET' && path !== '/graphql') api.writes.push(`${request.method} ${path}`);
          const { status = 200, json, zip, location } = api.#answer(request.method ?? '', path, body);
          const type = zip === undefined ? 'application/json' : 'application/zip';
          response.writeHead(status, { 'content-type': type, ...(location === undefined ? {} : { location }) });
          response.end(zip ?? JSON.stringify(json ?? {}));
        });
    });
    await new Promise<void>(listening => server.listen(0, testAddress, listening));
    const url = `http://${testAddress}:${(server.address() as AddressInfo).port}`;
    const api = new RestApi(url, keepsComments, () => {
      server.closeAllConnections();
      server.close();
    });
    return api;
  }

  stop(): void {
    this.#close();
  }

  #answer(method: string, path: string, body: string): Answer {
    const actions = '/repos/octocat/fleet/actions';
    const [, id, zip] = /\/artifacts\/(\d+)(\/zip)?$/.exec(path) ?? [];
    const found = this.artifacts.find(one => String(one.id) === id);
    if (path === `${actions}/runs/7`) {
      return { json: { event: 'push', head_branch: 'main', head_repository: { full_name: 'octocat/fleet' } } };
    }
    if (path === `${actions}/runs/7/artifacts`) {
      const artifacts = this.artifacts.map(({ id, name, zip, digest }) => {
        const [size_in_bytes, created_at] = [zip.length, '2026-01-01T00:00:00Z'];
        return { id, name, digest, size_in_bytes, created_at, expired: false };
      });
      return { json: { total_count: artifacts.length, artifacts } };
    }
    if (path === '/repos/octocat/fleet/pulls') return { json: this.pulls };
    if (found !== undefined && path.startsWith('/blob/')) return { zip: found.zip };
    if (found !== undefined && zip !== undefined) return { status: 302, location: `${this.url}/blob/artifacts/${id}` };
    if (found !== undefined && path === `${actions}/artifacts/${id}`) {
      return { json: { id: found.id, digest: found.digest, expired: false, expires_at: '2126-01-01T00:00:00Z' } };
    }
    if (this.#keeps) {
      const kept = this.#answerKept(method, path, body);
      if (kept !== null) return kept;
    }
    if (/\/issues\/\d+\/comments$/.test(path) && method === 'GET') return { json: [] };
    if (/\/issues\/\d+\/comments$/.test(path)) {
      this.comments.push((JSON.parse(body) as { body: string }).body);
      return { status: 201, json: { id: this.comments.length } };
    }
    return { status: 404 };
  }

  /** About pull request 12, which is merged and has all commits. */
  #answerKept(method: string, path: string, body: string): Answer | null {
    const user = { login: 'github-actions[bot]' };
    const comments = this.comments.map((text, index) => ({ id: index + 1, body: text, user }));
    if (path === '/graphql') return { json: { data: { viewer: user } } };
    if (/\/commits\/\w+\/pulls$/.test(path)) return { json: [{ number: 12, merged_at: '2026-01-01T00:00:00Z' }] };
    if (/\/issues\/12\/comments$/.test(path) && method === 'GET') return { json: comments };
    const [, id] = /\/issues\/comments\/(\d+)$/.exec(path) ?? [];
    const comment = comments.find(each => String(each.id) === id);
    if (comment === undefined) return null;
    if (method === 'PATCH') this.comments[comment.id - 1] = (JSON.parse(body) as { body: string }).body;
    return { json: comment };
  }
}

interface Answer {
  status?: number;
  json?: unknown;
  zip?: Buffer;
  location?: string;
}
