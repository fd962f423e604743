/** `npm run bounds`. */
import { runTypeScript } from '../run-typescript.mjs';

runTypeScript('The measurements’ parts');
const { runBounds } = await import('./bounds.js');
process.exitCode = await runBounds(process.argv.slice(2));
// A socket or timer that a desk left behind must not keep the table waiting.
process.exit();
