/** `npm run bench`. */
import { runTypeScript } from '../run-typescript.mjs';

runTypeScript('The benches');
const { runBenches } = await import('./benches.js');
process.exitCode = await runBenches(process.argv.slice(2));
