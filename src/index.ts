import { takeEnvironment } from './environment.ts';
import { main } from './main.ts';
import type { Step } from './step.ts';

/**
 * Starts a program of dist/. Each of them (dist/index.js, setup.js, post.js, cli.js, …) is two lines that call this
 * function with the program's name, so that all share one bundle. What only some programs need is loaded when needed.
 */
export async function start(program: Step | 'comment' | 'post' | 'cli'): Promise<void> {
  const { given, cleared } = takeEnvironment(process);
  if (!cleared) {
    const prefix = program === 'cli' ? 'ferry: warning: ' : '::warning::';
    process.stderr.write(`${prefix}Secrets remain in /proc/${process.pid}/environ: /proc/self/mem is not writable.\n`);
  }
  if (program === 'cli') return (await import('./cli.ts')).cli(given);
  if (program === 'post') return (await import('./post.ts')).post(process.env);
  if (program === 'comment') await (await import('./comment-step.ts')).comment(given, process.env);
  else await main(program, given, process.env);
  // An abandoned request keeps its socket open, and so the process alive, for minutes.
  process.exit();
}
