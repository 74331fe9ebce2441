import { UserError } from './errors.ts';
import { type Flags, help, readFlags } from './flags.ts';
import { readInputs } from './inputs.ts';
import { inputsOfTargetSetup } from './step.ts';
import { setUpTarget, type TargetSetupResult } from './target-setup/index.ts';
import { openTerminal } from './terminal.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export const targetSetupAbout = 'Prepare a NixOS machine for restricted keys (services.nix-ferry.gate).';

const usage = 'ferry target-setup HOST [flags]';
const more = `${targetSetupAbout}

HOST is an address, as user@address:port, or a host in --targets; the user is root, or may use sudo without a password.
The last lines that it prints belong in the configuration of the machine.`;

/**
 * The command `target-setup`.
 *
 * @param given the environment with the variables for secrets. @param own that of this process now.
 * @returns how it ended, as a name of an exit code in src/cli.ts.
 * @throws UserError for arguments that are wrong.
 */
export async function targetSetupCommand(
  args: readonly string[],
  given: Environment,
  own: NodeJS.ProcessEnv,
): Promise<'ok' | 'deploy' | 'cancelled'> {
  const flags = readFlags(args, inputsOfTargetSetup, given);
  if (flags.switches.has('help')) {
    process.stdout.write(help(usage, more, inputsOfTargetSetup));
    return 'ok';
  }
  const host = hostOf(flags);
  const config = readInputs(flags.inputs, name => `--${name}`, inputsOfTargetSetup);
  const terminal = await openTerminal(own);
  const { context } = terminal;
  try {
    const result = await terminal.within(({ deployer: { ownSsh } }) => {
      const access = { ...config.deploy, ownSsh };
      return setUpTarget(host, { ...config.targetSetup, targets: config.plan.targets, access }, context);
    });
    if (result.done === 'failed') context.log.error(result.message);
    process.stdout.write(flags.switches.has('json') ? `${JSON.stringify(result, null, 2)}\n` : text(result));
    if (context.signal.aborted) return 'cancelled';
    return result.done === 'failed' ? 'deploy' : 'ok';
  } finally {
    await terminal.close();
  }
}

function hostOf({ words: [host, extra] }: Flags): string {
  if (host !== undefined && extra === undefined) return host;
  throw new UserError(
    host === undefined ? `Missing arguments: the command is \`${usage}\`.` : `Unexpected argument '${extra}'.`,
    { cure: '`ferry target-setup --help` lists the flags.' },
  );
}

function text(result: TargetSetupResult): string {
  switch (result.done) {
    case 'failed':
      return '';
    case 'removed':
      return result.changed ? `The gate of ${result.host} is removed.\n` : `${result.host} had no gate to remove.\n`;
    case 'set-up': {
      const { host, target, module, changed } = result;
      const done = changed ? 'accepts these keys now' : 'accepted these keys already; nothing was changed';
      return `The gate of ${host} ${done}.

Write into \`targets\`:

  ${host}: ${target}

Write into the configuration of the machine, so that its next systems have the gate:

${module.replaceAll(/^(?=.)/gm, '  ')}`;
    }
  }
}
