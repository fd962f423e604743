/**
 * `npm run bench`: Node runs the TypeScript of this folder as it is (it strips types), against the built packages and apps. The house writes
 * relative imports with the ending of the built file; here nothing is built, so `./x.js` beside an `x.ts` means that one.
 */
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

if (nodeModule.registerHooks === undefined || !process.features.typescript) {
  process.stderr.write(
    `The benches run TypeScript as it is, which Node ${process.versions.node} cannot; nothing was measured. Use Node 22.18 or later, or 24.\n`,
  );
  process.exit(69);
}

nodeModule.registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL) {
      const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
      if (source.protocol === 'file:' && existsSync(fileURLToPath(source))) return next(source.href, context);
    }
    return next(specifier, context);
  },
});

const { runBenches } = await import('./benches.js');
process.exitCode = await runBenches(process.argv.slice(2));
