import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Lets Node run the TypeScript of this folder as it is (it strips types), against the built packages and apps. The house writes relative
 * imports with the ending of the built file; here nothing is built, so `./x.js` beside an `x.ts` means that one. Exits with 69 where Node
 * cannot; `whose` is what was not done then.
 */
export function runTypeScript(whose) {
  if (nodeModule.registerHooks === undefined || !process.features.typescript) {
    process.stderr.write(
      `${whose} run TypeScript as it is, which Node ${process.versions.node} cannot; nothing was done. Use Node 22.18 or later, or 24.\n`,
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
}
