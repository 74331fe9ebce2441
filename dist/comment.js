import { start } from './ferry.js';
await start('comment');
