import { join } from 'node:path';
import { demo } from './demo/index.ts';
import { UserError } from './errors.ts';
import { readInputs } from './inputs.ts';
import { run } from './pipeline.ts';
import { report, text } from './report/index.ts';
import { prepareSystems, setup } from './setup/index.ts';
import { openTerminal } from './terminal.ts';

const about = `ferry demo

Build an example fleet of an x86_64 and an aarch64 host and deploy it to two machines that run inside this one.

Needs Debian or Ubuntu, and root or sudo without a password. Downloads are kept in $XDG_CACHE_HOME/nix-ferry/demo.
Everything else is removed, except Nix if the demo had to install it.
`;

/**
 * The command `demo`: connects the demo to the pipeline.
 *
 * @returns how it ended, as a name of an exit code in src/cli.ts.
 */
export async function demoCommand(words: readonly string[]): Promise<'ok' | 'deploy' | 'cancelled'> {
  if (words.some(word => word === '--help' || word === '-h')) {
    process.stdout.write(about);
    return 'ok';
  }
  if (words.length > 0) throw new UserError(`Unexpected argument '${words[0]}'.`, { cure: 'The demo takes no flags.' });
  const terminal = await openTerminal(process.env);
  const { context } = terminal;
  try {
    // The targets' emulation lasts longer than the runs that deploy to them, as with real machines.
    const ended = await terminal.within(outer =>
      demo(
        {
          cache: join(terminal.cache, 'demo'),
          async prepare(system) {
            const config = readInputs({ emulate: 'always', cache: 'never' }, name => `--${name}`);
            const setUp = await setup({ ...config.setup, ...outer.machine, builds: true }, context, outer.setup);
            const hosts = [{ name: 'demo', drvPath: '', system }];
            return (await prepareSystems(setUp, { hosts, lock: null }, context, outer.setup)).nix;
          },
          async run(given) {
            const config = readInputs(given, name => `--${name}`);
            const directory = join(context.scratch, 'archives');
            const done = await terminal.within(ports =>
              run('run', config, { ...ports, archives: { directory, artifacts: null }, planCache: null }, context),
            );
            await report(done, context.log, null);
            process.stdout.write(text(done));
            return done;
          },
          say: line => process.stdout.write(`${line}\n`),
        },
        context,
      ),
    );
    return context.signal.aborted ? 'cancelled' : ended ? 'ok' : 'deploy';
  } catch (error) {
    if (!context.signal.aborted) throw error;
    terminal.line('Cancelled. Everything that the demo made has been removed.');
    return 'cancelled';
  } finally {
    await terminal.close();
  }
}
