/** `npm run soak`. */
import { runTypeScript } from '../run-typescript.mjs';

runTypeScript('The soak’s parts');
const { runSoak } = await import('./soak.js');
process.exitCode = await runSoak(process.argv.slice(2));
// A socket or timer that a day left behind must not keep the verdict waiting.
process.exit();
