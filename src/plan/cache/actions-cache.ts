import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CachePort, Context } from '../../context.ts';
import { explain, UserError } from '../../errors.ts';
import type { Nix } from '../../nix/index.ts';
import type { Shelf } from './plan-cache.ts';
import { type Knowledge, readKnowledge, textOf } from './serialize.ts';

/** Plans that runs on several machines share. */
export interface SharedPlans {
  port: CachePort;
  /** Whose holders may make plans for each other. */
  secret: string;
  /** Takes what goes on when the plan is made already; it never throws. */
  beside(work: Promise<void>): void;
}

/** An entry's plan.json. Beside it are the derivations of its hosts, as a binary cache. */
interface Entry {
  name: string;
  text: string;
  /** Of both, by the secret: who can write into the cache cannot make a plan, nor pass one off as another source's. */
  mac: string;
}

/** The shape of an entry: raised when an older one would not do any more. */
const shape = 1;

/**
 * Plans in the Actions cache, with the derivations that they name, since a fresh machine has none. A plan says whom to speak to
 * and what to run there, so it counts only with the mark of the secret; derivations are checked by Nix, whose paths tell their
 * content. Trouble is a warning, and the hosts are evaluated.
 */
export function sharedShelf({ port, secret, beside }: SharedPlans, nix: Nix, context: Context): Shelf {
  const mark = (...words: string[]): string =>
    createHmac('sha256', secret.trim()).update(JSON.stringify(words)).digest('hex');
  // With another secret there are other entries: one cannot be written anew.
  const prefixOf = (name: string): string => `nix-ferry-plan-${shape}-${mark('key').slice(0, 8)}-${name.slice(0, 32)}-`;
  const store = `file://${join(port.directory, 'derivations')}`;
  const copy = (...words: string[]) => nix.run('nix', ['copy', '--derivation', ...words], { signal: context.signal });

  return {
    async read(names) {
      try {
        await rm(port.directory, { recursive: true, force: true });
        const prefixes = names.map(prefixOf);
        const found = await port.restore(prefixes[0] ?? '', prefixes);
        if (found === null) return null;
        const knowledge = genuine(await readFile(join(port.directory, 'plan.json'), 'utf8'), names, mark);
        const drvPaths = derivationsOf(knowledge);
        if (drvPaths.length > 0) await copy('--from', store, ...drvPaths);
        context.log.info(`Restored the plan of ${drvPaths.length} hosts from the cache, ${found}.`);
        return knowledge;
      } catch (error) {
        if (context.signal.aborted) throw error;
        context.log.warning(`The kept plan is not used: ${explain(error)}`);
        return null;
      }
    },
    async write(name, knowledge) {
      if (port.trusted) beside(save(name, knowledge));
      else context.log.info('The plan is not kept: what this run evaluates must not reach others.');
    },
  };

  async function save(name: string, knowledge: Knowledge): Promise<void> {
    try {
      const text = textOf(knowledge);
      const hosts = readKnowledge(text);
      if (hosts === null) throw new Error('it cannot be read back');
      await rm(port.directory, { recursive: true, force: true });
      await mkdir(port.directory, { recursive: true });
      const drvPaths = derivationsOf(hosts);
      if (drvPaths.length === 0) return;
      await copy('--to', `${store}?compression=none`, ...drvPaths);
      const entry: Entry = { name, text, mac: mark('plan', name, text) };
      await writeFile(join(port.directory, 'plan.json'), JSON.stringify(entry));
      const known = createHash('sha256')
        .update(JSON.stringify(Object.keys(hosts.answers).sort()))
        .digest('hex');
      const key = `${prefixOf(name)}${known.slice(0, 16)}`;
      if (await port.save(key)) context.log.info(`Kept the plan of ${drvPaths.length} hosts in the cache, ${key}.`);
      else context.log.warning(`The plan is not kept. If it has an entry already: \`gh cache delete ${key}\`.`);
    } catch (error) {
      if (!context.signal.aborted) context.log.warning(`The plan is not kept: ${explain(error)}`);
    }
  }
}

function derivationsOf({ answers }: Knowledge): string[] {
  return [...new Set(Object.values(answers).map(({ drvPath }) => drvPath))];
}

/** @throws UserError for an entry that is no plan, or of another name, or not made with the secret. */
function genuine(json: string, names: readonly string[], mark: (...words: string[]) => string): Knowledge {
  let entry: Partial<Record<keyof Entry, unknown>>;
  try {
    entry = { ...(JSON.parse(json) as object) };
  } catch {
    throw new UserError('its entry is damaged.');
  }
  const [name, text, mac] = [entry.name, entry.text, entry.mac].map(String) as [string, string, string];
  const [given, expected] = [mac, mark('plan', name, text)].map(word => createHash('sha256').update(word).digest());
  if (given === undefined || expected === undefined || !timingSafeEqual(given, expected) || !names.includes(name)) {
    throw new UserError('its entry was not made with `signing-key`, or for another source.');
  }
  const knowledge = readKnowledge(text);
  if (knowledge === null) throw new UserError('its entry is of another shape.');
  return knowledge;
}
