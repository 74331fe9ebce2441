import { start } from './ferry.js';
await start('run');
