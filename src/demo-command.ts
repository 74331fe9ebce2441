import { join } from 'node:path';
import { demo } from './demo/index.ts';
import { UserError } from './errors.ts';
import { readInputs } from './inputs.ts';
import { run } from './pipeline.ts';
import { report, text } from './report/index.ts';
import { prepareSystems, setup } from './setup/index.ts';
import { openTerminal } from './terminal.ts';

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
export async function demoCommand(words: readonly string[]): Promise<'ok' | 'deploy' | 'cancelled'> {
  if (words.some(word => word === '--help' || word === '-h')) {
    process.stdout.write(about);
    return 'ok';
  }
  if (words.length > 0) throw new UserError(`'${words[0]}' is no flag of the demo.`, { cure: 'It takes none.' });
  const terminal = await openTerminal(process.env);
  const { context } = terminal;
  try {
    // The targets' emulation outlives the runs that go to them, as real machines would.
    const ended = await terminal.within(outer =>
      demo(
        {
          cache: join(terminal.cache, 'demo'),
          async prepare(system) {
            const config = readInputs({ emulate: 'always', cache: 'never' }, name => `--${name}`);
            const setUp = await setup({ ...config.setup, ...outer.machine }, context, outer.setup);
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
    terminal.line('Cancelled; all of the demo is gone.');
    return 'cancelled';
  } finally {
    await terminal.close();
  }
}
