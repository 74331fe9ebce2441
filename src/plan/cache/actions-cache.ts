import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CachePort, Context } from '../../context.ts';
import { explain, UserError } from '../../errors.ts';
import type { Nix } from '../../nix/index.ts';
import type { SourceEvaluation } from '../evaluation/source-evaluation.ts';
import type { PlanStore } from './plan-store.ts';
import { deserialize, serialize } from './serialize.ts';

/** Plans that runs on different machines share. */
export interface SharedPlans {
  port: CachePort;
  /** Runs with the same secret use each other's plans. */
  secret: string;
  /** Receives work that continues after the plan is made; it never throws. */
  runInBackground(work: Promise<void>): void;
}

/** The plan.json of an entry. Next to it are the derivations of its hosts, as a binary cache. */
interface Entry {
  name: string;
  text: string;
  /** HMAC of name and text: with write access to the cache alone, no plan can be made, nor that of another source renamed. */
  mac: string;
}

/** Version of an entry's format; increase it when older entries can no longer be read. */
const entryVersion = 1;

/**
 * Plans in the Actions cache, with their derivations, because a new machine has none. A plan says which machines to connect to
 * and what to run there, so an entry is used only if it was authenticated with the secret; Nix checks the derivations, whose
 * paths depend on their contents. If anything fails, a warning is logged and the hosts are evaluated.
 */
export class ActionsCacheStore implements PlanStore {
  readonly #shared: SharedPlans;
  readonly #nix: Nix;
  readonly #context: Context;

  constructor(shared: SharedPlans, nix: Nix, context: Context) {
    this.#shared = shared;
    this.#nix = nix;
    this.#context = context;
  }

  async read(names: readonly string[]): Promise<SourceEvaluation | null> {
    const { port } = this.#shared;
    const { log, signal } = this.#context;
    try {
      await rm(port.directory, { recursive: true, force: true });
      const prefixes = names.map(name => this.#prefixOf(name));
      const key = await port.restore(prefixes[0] ?? '', prefixes);
      if (key === null) return null;
      const evaluation = this.#authenticated(await readFile(join(port.directory, 'plan.json'), 'utf8'), names);
      const drvPaths = derivationsOf(evaluation);
      if (drvPaths.length > 0) await this.#copy('--from', this.#binaryCache, ...drvPaths);
      log.info(`Restored the plan of ${drvPaths.length} hosts from the cache, ${key}.`);
      return evaluation;
    } catch (error) {
      if (signal.aborted) throw error;
      log.warning(`The cached plan is not used: ${explain(error)}`);
      return null;
    }
  }

  async write(name: string, evaluation: SourceEvaluation): Promise<void> {
    const { port, runInBackground } = this.#shared;
    if (port.trusted) runInBackground(this.#save(name, evaluation));
    else this.#context.log.info('The plan is not cached: other runs must not use what this run evaluates.');
  }

  async #save(name: string, evaluation: SourceEvaluation): Promise<void> {
    const { port } = this.#shared;
    const { log, signal } = this.#context;
    try {
      const text = serialize(evaluation);
      const hosts = deserialize(text);
      if (hosts === null) throw new Error('it cannot be read back');
      await rm(port.directory, { recursive: true, force: true });
      await mkdir(port.directory, { recursive: true });
      const drvPaths = derivationsOf(hosts);
      if (drvPaths.length === 0) return;
      await this.#copy('--to', `${this.#binaryCache}?compression=none`, ...drvPaths);
      const entry: Entry = { name, text, mac: this.#mac('plan', name, text) };
      await writeFile(join(port.directory, 'plan.json'), JSON.stringify(entry));
      const names = JSON.stringify(Object.keys(hosts.answers).sort());
      const key = `${this.#prefixOf(name)}${createHash('sha256').update(names).digest('hex').slice(0, 16)}`;
      if (await port.save(key)) log.info(`Cached the plan of ${drvPaths.length} hosts, ${key}.`);
      else log.warning(`The plan is not cached. If it has an entry already: \`gh cache delete ${key}\`.`);
    } catch (error) {
      if (!signal.aborted) log.warning(`The plan is not cached: ${explain(error)}`);
    }
  }

  /** Other secrets have other entries, because an entry cannot be overwritten. */
  #prefixOf(name: string): string {
    return `nix-ferry-plan-${entryVersion}-${this.#mac('key').slice(0, 8)}-${name.slice(0, 32)}-`;
  }

  #mac(...words: string[]): string {
    return createHmac('sha256', this.#shared.secret.trim()).update(JSON.stringify(words)).digest('hex');
  }

  /** @throws UserError for an entry that is not a plan, has another name or was not made with the secret. */
  #authenticated(json: string, names: readonly string[]): SourceEvaluation {
    let entry: Partial<Record<keyof Entry, unknown>>;
    try {
      entry = { ...(JSON.parse(json) as object) };
    } catch {
      throw new UserError('its entry is damaged.');
    }
    const [name, text, mac] = [entry.name, entry.text, entry.mac].map(String) as [string, string, string];
    const digest = (word: string): Buffer => createHash('sha256').update(word).digest();
    if (!timingSafeEqual(digest(mac), digest(this.#mac('plan', name, text))) || !names.includes(name)) {
      throw new UserError('its entry was not made with `signing-key`, or for another source.');
    }
    const evaluation = deserialize(text);
    if (evaluation === null) throw new UserError('its entry has another format.');
    return evaluation;
  }

  get #binaryCache(): string {
    return `file://${join(this.#shared.port.directory, 'derivations')}`;
  }

  async #copy(...args: string[]): Promise<void> {
    await this.#nix.run('nix', ['copy', '--derivation', ...args], { signal: this.#context.signal });
  }
}

function derivationsOf({ answers }: SourceEvaluation): string[] {
  return [...new Set(Object.values(answers).map(({ drvPath }) => drvPath))];
}
