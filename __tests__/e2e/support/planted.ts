import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { childrenOf, repository } from './machine.ts';
import { type Runner, work } from './runner.ts';

/** A secret that was found in a process: `environ` or `cmdline`, and the name of the program. */
export interface ProcessLeak {
  place: string;
  process: string;
}

/** The parts of secrets to search for: each line, since a part of a key is a leak too. */
export function pieces(secrets: readonly string[]): string[] {
  return secrets.flatMap(secret => secret.split('\n')).filter(piece => piece.length >= 8 && !piece.startsWith('-----'));
}

/**
 * Searches the initial environments and the arguments of all processes of a runner while `work` runs. The step itself
 * gets its inputs in its environment; it counts as soon as its scratch directory exists.
 */
export async function watchProcesses<T>(
  runner: Runner,
  secrets: readonly string[],
  during: () => Promise<T>,
): Promise<{ result: T; leaks: ProcessLeak[] }> {
  const script = join(repository, '__tests__/e2e/support/fixtures/watch-processes.mjs');
  const entered = runner.machine.enter([work.node24, script], { user: 'root' });
  const child = spawn('nsenter', entered, { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: process.env.PATH } });
  let printed = '';
  const started = new Promise<void>((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the watch ended with ${code}`)));
    child.stdout.on('data', chunk => {
      printed += chunk;
      if (printed.startsWith('watching\n')) resolve();
    });
  });
  const asked = { secrets: pieces(secrets), program: join(repository, 'dist/'), temp: work.temp };
  child.stdin.end(JSON.stringify(asked));
  await started;
  try {
    const result = await during();
    const leaks = printed.trim().split('\n').slice(1);
    return { result, leaks: leaks.map(line => JSON.parse(line) as ProcessLeak) };
  } finally {
    for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL');
  }
}
