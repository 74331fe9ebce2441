// Writes the inputs that src/ declares into the action.yml files and the README (see generated.ts). Registers a loader,
// since Node 20 cannot run TypeScript.
import { writeFileSync } from 'node:fs';
import { register } from 'node:module';

register('./typescript.mjs', import.meta.url);
const { generated } = await import('./generated.ts');
for (const [path, text] of Object.entries(generated())) writeFileSync(path, text);
