import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { testAddress } from './link.ts';

/** An uploaded artifact, as the service stores it. */
export interface StoredArtifact {
  id: number;
  name: string;
  zip: Buffer;
  /** `sha256:…`, as sent by the client. */
  digest: string;
  /** The attempt of the run that uploaded it. */
  attempt: string;
}

export interface StoredCache {
  key: string;
  version: string;
  content: Buffer;
}

/** A request. `what` is the name of the RPC, or `GET` or `PUT` for blobs. */
export interface Recorded {
  what: string;
  status: number;
}

/**
 * GitHub's results service for @actions/artifact 6 and @actions/cache 6: artifacts, caches, and the blob storage behind
 * both. It does not have GitHub's limits, permissions and retention.
 */
export class ResultsService {
  readonly artifacts: StoredArtifact[] = [];
  readonly caches: StoredCache[] = [];
  readonly requests: Recorded[] = [];
  readonly url: string;
  /** A run must treat it as a secret: it must not appear in a log. */
  token = '';
  #ids = 1000;
  readonly #close: () => Promise<void>;
  readonly #faults: { what: RegExp; status: number; times: number }[] = [];
  readonly #blobs = new Map<string, { blocks: Map<string, Buffer>; content: Buffer | null }>();
  readonly #pending = new Map<string, string>();

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
    this.nextAttempt();
  }

  /** Re-runs the workflow: the token names another attempt. Each attempt may use a name once. */
  nextAttempt(): void {
    // Unsigned, three parts; the scope names the run's attempt and the job.
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const scope = `Actions.Results:${randomUUID()}:${randomUUID()}`;
    this.token = [part({ alg: 'none' }), part({ scp: scope }), randomUUID().replaceAll('-', '')].join('.');
  }

  /** @param address to listen on; by default the one at which machines reach the tests. */
  static async start(address: string = testAddress): Promise<ResultsService> {
    const server = createServer((request, response) => {
      service.#answer(request, response).catch(error => response.writeHead(500).end(String(error)));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, address, resolve);
    });
    const { port } = server.address() as AddressInfo;
    const service = new ResultsService(`http://${address}:${port}/`, async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    });
    return service;
  }

  stop(): Promise<void> {
    return this.#close();
  }

  /**
   * The next `times` requests whose name matches get this status. Clients retry after 429 and 5xx only; 0 means no answer.
   */
  fail(what: RegExp, status: number, times = 1): void {
    this.#faults.push({ what, status, times });
  }

  /** The environment variables with which a step uses this service. */
  environment(): Record<string, string> {
    return { ACTIONS_RESULTS_URL: this.url, ACTIONS_RUNTIME_TOKEN: this.token, ACTIONS_CACHE_SERVICE_V2: 'true' };
  }

  /** @throws when there is not exactly one of this name. */
  artifact(name: string): StoredArtifact {
    const found = this.artifacts.filter(artifact => artifact.name === name);
    if (found.length !== 1 || found[0] === undefined) {
      throw new Error(
        `${found.length} artifacts are called ${name}; all: ${this.artifacts.map(a => a.name).join(', ')}`,
      );
    }
    return found[0];
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const rpc = /^\/twirp\/github\.actions\.results\.api\.v1\.\w+Service\/(\w+)$/.exec(url.pathname)?.[1];
    const what = rpc ?? request.method ?? '';
    const body = await read(request);
    const fault = this.#faults.find(({ what: pattern, times }) => times > 0 && pattern.test(what));
    const send = (
      status: number,
      content: string | Buffer = '',
      headers: Record<string, string | number> = {},
    ): void => {
      this.requests.push({ what, status });
      response.writeHead(status, { 'content-length': Buffer.byteLength(content), ...headers }).end(content);
    };
    if (fault !== undefined) {
      fault.times -= 1;
      if (fault.status === 0) return void this.requests.push({ what, status: 0 });
      send(fault.status, '{"msg":"as the test asked"}', { 'content-type': 'application/json' });
    } else if (rpc !== undefined) {
      if (request.headers.authorization !== `Bearer ${this.token}`) return send(401, '{"msg":"wrong token"}');
      const input = JSON.parse(body.toString()) as Record<string, string>;
      const answer = this.#call(rpc, input);
      const json = { 'content-type': 'application/json' };
      if (rpc === 'CreateArtifact' && answer === null)
        send(
          409,
          '{"code":"already_exists","msg":"an artifact with this name already exists on the workflow run"}',
          json,
        );
      else if (answer === null)
        send(404, JSON.stringify({ code: 'not_found', msg: `no such method or thing: ${rpc}` }), json);
      else send(200, JSON.stringify(answer), json);
    } else {
      this.#blob(request, url, body, send);
    }
  }

  #call(rpc: string, input: Record<string, string>): object | null {
    const name = input.name ?? '';
    switch (rpc) {
      case 'CreateArtifact':
        if (this.#held(input) !== undefined) return null;
        return { ok: true, signed_upload_url: this.#newBlob(`artifact ${name}`) };
      case 'FinalizeArtifact': {
        const zip = this.#takeBlob(`artifact ${name}`);
        if (zip === null || String(zip.length) !== input.size) return { ok: false };
        const hash = input.hash as unknown;
        const digest = typeof hash === 'string' ? hash : ((hash as { value?: string } | undefined)?.value ?? '');
        if (digest !== `sha256:${createHash('sha256').update(zip).digest('hex')}`) return { ok: false };
        const id = this.#ids++;
        this.artifacts.push({ id, name, zip, digest, attempt: input.workflow_run_backend_id ?? '' });
        return { ok: true, artifact_id: String(id) };
      }
      case 'ListArtifacts': {
        const wanted = this.artifacts.filter(
          ({ id, name: own }) => (input.name_filter ?? own) === own && String(input.id_filter ?? id) === String(id),
        );
        const artifacts = wanted.map(({ id, name: own, zip, digest, attempt }) => ({
          workflow_run_backend_id: attempt,
          workflow_job_run_backend_id: input.workflow_job_run_backend_id,
          database_id: String(id),
          name: own,
          size: String(zip.length),
          created_at: new Date().toISOString(),
          digest,
        }));
        return { artifacts };
      }
      case 'GetSignedArtifactURL': {
        const artifact = this.#held(input);
        return artifact === undefined ? null : { signed_url: this.#newBlob(`download ${randomUUID()}`, artifact.zip) };
      }
      case 'DeleteArtifact': {
        const artifact = this.#held(input);
        if (artifact === undefined) return null;
        this.artifacts.splice(this.artifacts.indexOf(artifact), 1);
        return { ok: true, artifact_id: String(artifact.id) };
      }
      case 'CreateCacheEntry':
        if (this.caches.some(({ key, version }) => key === input.key && version === input.version))
          return { ok: false };
        return { ok: true, signed_upload_url: this.#newBlob(`cache ${input.key} ${input.version}`) };
      case 'FinalizeCacheEntryUpload': {
        const content = this.#takeBlob(`cache ${input.key} ${input.version}`);
        if (content === null || String(content.length) !== String(input.size_bytes)) return { ok: false };
        this.caches.push({ key: input.key ?? '', version: input.version ?? '', content });
        return { ok: true, entry_id: String(this.caches.length) };
      }
      case 'GetCacheEntryDownloadURL': {
        const found = this.#findCache(input as unknown as { key: string; restore_keys?: string[]; version: string });
        if (found === undefined) return { ok: false };
        return {
          ok: true,
          signed_download_url: this.#newBlob(`download ${randomUUID()}`, found.content),
          matched_key: found.key,
        };
      }
      default:
        return null;
    }
  }

  /** The artifact of this name in an attempt of the run. */
  #held({ workflow_run_backend_id, name }: Record<string, string>): StoredArtifact | undefined {
    return this.artifacts.find(one => one.name === name && one.attempt === workflow_run_backend_id);
  }

  /** An entry with this key, or else the newest one with a restore key as its prefix. */
  #findCache(input: { key: string; restore_keys?: string[]; version: string }): StoredCache | undefined {
    const usable = this.caches.filter(({ version }) => version === input.version).reverse();
    const exact = usable.find(({ key }) => key === input.key);
    if (exact !== undefined) return exact;
    for (const prefix of [input.key, ...(input.restore_keys ?? [])]) {
      const found = usable.find(({ key }) => key.startsWith(prefix));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The part of Azure's block blobs that the clients use: one PUT, or blocks and a block list; GET, also of a range. */
  #blob(
    request: IncomingMessage,
    url: URL,
    body: Buffer,
    send: (s: number, c?: string | Buffer, h?: Record<string, string | number>) => void,
  ): unknown {
    const blob = this.#blobs.get(url.pathname);
    if (blob === undefined || url.searchParams.get('sig') !== signature) return send(404);
    if (request.method === 'PUT') {
      const comp = url.searchParams.get('comp');
      if (comp === 'block') blob.blocks.set(url.searchParams.get('blockid') ?? '', body);
      else if (comp === 'blocklist') {
        const ids = [...body.toString().matchAll(/<Latest>([^<]*)<\/Latest>/g)].map(match => match[1] ?? '');
        blob.content = Buffer.concat(ids.map(id => blob.blocks.get(id) ?? Buffer.alloc(0)));
      } else blob.content = body;
      return send(201);
    }
    const content = blob.content ?? Buffer.alloc(0);
    const common = { 'content-type': 'application/zip', 'accept-ranges': 'bytes' };
    const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? String(request.headers['x-ms-range'] ?? ''));
    if (range === null)
      return send(200, request.method === 'HEAD' ? '' : content, { ...common, 'content-length': content.length });
    const [from, to] = [
      Number(range[1]),
      range[2] === '' ? content.length - 1 : Math.min(Number(range[2]), content.length - 1),
    ];
    return send(206, content.subarray(from, to + 1), {
      ...common,
      'content-range': `bytes ${from}-${to}/${content.length}`,
    });
  }

  #newBlob(purpose: string, content: Buffer | null = null): string {
    const path = `/account/container/${randomUUID()}`;
    this.#blobs.set(path, { blocks: new Map(), content });
    this.#pending.set(purpose, path);
    return `${this.url.slice(0, -1)}${path}?sig=${signature}`;
  }

  #takeBlob(purpose: string): Buffer | null {
    const path = this.#pending.get(purpose);
    if (path === undefined) return null;
    this.#pending.delete(purpose);
    const content = this.#blobs.get(path)?.content ?? null;
    this.#blobs.delete(path);
    return content;
  }
}

const signature = 'loopback-signature';

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
