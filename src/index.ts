import { basename } from 'node:path';
import { main } from './main.ts';
import { type Step, steps } from './step.ts';

/** The program's own name says which step it is: dist/setup.js, dist/plan.js, …; dist/index.js is the whole job. */
const name = basename(process.argv[1] ?? '', '.js');

if (name === 'post') await (await import('./post.ts')).post();
else await main((steps as readonly string[]).includes(name) ? (name as Step) : 'run', process.env);
