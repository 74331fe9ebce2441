// Deploys one host in a separate process, for a test to kill. Arguments: a JSON file with `deployment` and `config`, and a
// scratch directory. Needs Node 24, which runs TypeScript.
import { readFileSync } from 'node:fs';
import { deploy } from '../../../../src/deploy/index.ts';
import { context, localNix, recorder } from '../deploy-fixture.ts';

const [, , file = '', scratch = ''] = process.argv;
const { deployment, config } = JSON.parse(readFileSync(file, 'utf8'));
console.log(JSON.stringify(await deploy([deployment], config, await localNix(), context(recorder(), scratch))));
