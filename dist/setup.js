import { start } from './ferry.js';
await start('setup');
