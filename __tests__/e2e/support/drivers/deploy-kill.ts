// Deploys one host as a process of its own, for a test to kill. Arguments: a JSON file with `deployment` and `config`,
// a scratch directory. Run with Node 24, which takes TypeScript as it is.
import { readFileSync } from 'node:fs';
import { deploy } from '../../../../src/deploy/index.ts';
import { context, localNix, recorder } from '../deploy-fixture.ts';

const [, , file = '', scratch = ''] = process.argv;
const { deployment, config } = JSON.parse(readFileSync(file, 'utf8'));
console.log(JSON.stringify(await deploy([deployment], config, await localNix(), context(recorder(), scratch))));
