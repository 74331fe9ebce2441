import { main } from './main.ts';
import type { Step } from './step.ts';

/**
 * Starts a program of dist/. Each of them (dist/index.js, setup.js, post.js, cli.js, …) is two lines that call this
 * function with the program's name, so that all share one bundle. What only some programs need is loaded when needed.
 */
export async function start(program: Step | 'post' | 'cli'): Promise<void> {
  if (program === 'cli') await (await import('./cli.ts')).cli();
  else if (program === 'post') await (await import('./post.ts')).post(process.env);
  else {
    await main(program, process.env);
    // An abandoned request keeps its socket open, and so the process alive, for minutes.
    process.exit();
  }
}
