import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddedFleet } from './embedded.ts';
import { Runner } from './runner.ts';
import type { Target } from './target.ts';

/** A runner with real Nix that builds systems of the miniature, and puts them into the stores of targets. */
export class Systems {
  readonly runner: Runner;

  private constructor(runner: Runner) {
    this.runner = runner;
  }

  static async start(): Promise<Systems> {
    const readOnly = {
      [await embeddedFleet()]: '/mnt/fleet',
      [join(import.meta.dirname, 'fixtures/miniature')]: '/mnt/miniature',
    };
    return new Systems(await Runner.start({ nix: '2.26', emulates: true, readOnly }));
  }

  stop(): Promise<void> {
    return this.runner.stop();
  }

  /**
   * Builds attributes of an expression of `miniature/`, a function of `nixpkgs` and `system`, and copies them to the target.
   * Returns name → toplevel. `cases` is written to a file that the expression is given, as JSON.
   */
  async give<Name extends string>(
    target: Target,
    expression: string,
    names: readonly Name[],
    cases?: unknown,
  ): Promise<Record<Name, string>> {
    const env = { NIX_CONFIG: 'extra-platforms = aarch64-linux\nsubstituters =' };
    const file = '/var/tmp/cases.json';
    if (cases !== undefined) await writeFile(this.runner.machine.path(file), JSON.stringify(cases), { mode: 0o644 });
    const { stdout } = await this.runner.run(
      [
        ...['nix-build', '--no-out-link', '-j', 'auto', `/mnt/miniature/${expression}`],
        ...['--arg', 'nixpkgs', '/mnt/fleet/nixpkgs', '--argstr', 'system', target.system],
        ...(cases === undefined ? [] : ['--arg', 'cases', file]),
        ...names.flatMap(name => ['-A', name]),
      ],
      { env },
    );
    const paths = stdout.trim().split('\n');
    const pack = 'nix-store --export $(nix-store -qR "$@") > /tmp/closure';
    await this.runner.run(['sh', '-c', pack, 'sh', ...paths], { env });
    await mkdir(target.machine.path('/var/tmp'), { recursive: true });
    await copyFile(this.runner.machine.path('/tmp/closure'), target.machine.path('/var/tmp/closure'));
    await target.says('sh', '-c', 'nix-store --import < /var/tmp/closure && rm /var/tmp/closure');
    return Object.fromEntries(names.map((name, index) => [name, paths[index] ?? ''])) as Record<Name, string>;
  }
}

/** Runs a toplevel's switch-to-configuration. @returns its exit code and its output, in order. */
export async function switchTo(
  target: Target,
  toplevel: string,
  verb: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; lines: string[] }> {
  const script = '"$1/bin/switch-to-configuration" "$2" > /tmp/said 2>&1; echo $?; cat /tmp/said';
  const { stdout } = await target.machine.run(['sh', '-c', script, 'sh', toplevel, verb], { env });
  const [code, ...lines] = stdout.trimEnd().split('\n');
  return { code: Number(code), lines };
}
