#!/usr/bin/env node
import { start } from './ferry.js';
await start('cli');
