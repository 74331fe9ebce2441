import { main } from './main.ts';
import type { Step } from './step.ts';

/**
 * Starts a program of dist/: each of them (dist/index.js, setup.js, post.js, cli.js, …) is two lines that call this with
 * what it is, so that they share one bundle. What only some of them need is loaded when it is needed.
 */
export async function start(program: Step | 'post' | 'cli'): Promise<void> {
  if (program === 'cli') await (await import('./cli.ts')).cli();
  else if (program === 'post') await (await import('./post.ts')).post(process.env);
  else {
    await main(program, process.env);
    // A request that was given up keeps its socket, and the process with it, for minutes.
    process.exit();
  }
}
