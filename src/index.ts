import { main } from './main.ts';

await main('run', process.env);
