import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from './context.ts';
import { demo } from './demo/index.ts';
import { endLeftSession } from './deploy/index.ts';
import { UserError } from './errors.ts';
import { readInputs } from './inputs.ts';
import { type Ports, run } from './pipeline.ts';
import { openProgress, type Progress, report, text } from './report/index.ts';
import { prepareSystems, setup, stateKey, teardown } from './setup/index.ts';

const about = `ferry demo

Carry an example fleet of an x86_64 and an aarch64 host from its source to two machines inside this one, and show it.
For Debian and Ubuntu, as root or as a user who may call sudo without a password. What it fetches is kept in
$XDG_CACHE_HOME/nix-ferry/demo; all else it removes, except Nix where it had to install it.
`;

/**
 * The command `demo`: wires the demo to the pipeline.
 *
 * @returns how it ended, by the names that the command line's exit codes have.
 */
export async function demoCommand(
  words: readonly string[],
  contextOf: (progress: Progress, scratch: string) => Context,
  portsOf: (scratch: string, state: Map<string, string>) => Ports,
): Promise<'ok' | 'deploy' | 'cancelled'> {
  if (words.some(word => word === '--help' || word === '-h')) {
    process.stdout.write(about);
    return 'ok';
  }
  if (words.length > 0) throw new UserError(`'${words[0]}' is no flag of the demo.`, { cure: 'It takes none.' });
  const scratch = await realpath(await mkdtemp(join(tmpdir(), 'ferry-')));
  const progress = openProgress(process.stderr, process.env.CI === undefined && process.env.TERM !== 'dumb');
  const context = contextOf(progress, scratch);
  const cache = process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? tmpdir(), '.cache');
  try {
    const ended = await demo(
      {
        cache: join(cache, 'nix-ferry', 'demo'),
        prepare: system => prepare(system, scratch, context, portsOf),
        async run(given) {
          const state = new Map<string, string>();
          const ports = { ...portsOf(scratch, state), archives: join(scratch, 'archives'), planCache: null };
          const done = await run(
            'run',
            readInputs(given, name => `--${name}`),
            ports,
            context,
          ).finally(async () => {
            progress.end();
            await endLeftSession(scratch, context.exec);
            await teardown(state.get(stateKey), context);
          });
          await report(done, context.log, null);
          process.stdout.write(text(done));
          return done;
        },
        say: line => process.stdout.write(`${line}\n`),
      },
      context,
    );
    return context.signal.aborted ? 'cancelled' : ended ? 'ok' : 'deploy';
  } catch (error) {
    if (!context.signal.aborted) throw error;
    progress.line('Cancelled; all of the demo is gone.');
    return 'cancelled';
  } finally {
    progress.end();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Nix, and the emulation of `system` until `end`: the targets need it, as no real machine would. */
async function prepare(
  system: string,
  scratch: string,
  context: Context,
  portsOf: (scratch: string, state: Map<string, string>) => Ports,
): ReturnType<Parameters<typeof demo>[0]['prepare']> {
  const state = new Map<string, string>();
  const ports = portsOf(scratch, state);
  const end = (): Promise<void> => teardown(state.get(stateKey), context);
  try {
    const setUp = await setup(
      {
        ...{ nixVersion: null, nixSource: null, nixConf: '', builders: null, githubToken: null },
        emulate: 'always',
        cache: 'never',
        environment: ports.environment,
      },
      context,
      ports.setup,
    );
    await prepareSystems(setUp, { hosts: [{ name: 'demo', drvPath: '', system }], lock: null }, context, ports.setup);
    return { nix: setUp.nix, end };
  } catch (error) {
    await end();
    throw error;
  }
}
