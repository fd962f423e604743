import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { DESK_MUTANTS } from './desk-mutants.ts';
import { EXIT_MUTANTS } from './exit-mutants.ts';

/**
 * The test-only switch: `HOLDFAST_TEST_MUTANT=<name> node --import ./test/mutants/hook.mjs …` runs the built program with one safety rule
 * broken, in its threads too. The break is made in the loaded text: nothing of it is in what ships, and no switch there can be pressed by accident.
 */
const { HOLDFAST_TEST_MUTANT: name } = process.env;
const all = [...EXIT_MUTANTS, ...DESK_MUTANTS];
const mutant = all.find(candidate => candidate.name === name);
if (!mutant) throw new Error(`HOLDFAST_TEST_MUTANT=${name}: there is no such mutant; there are ${all.map(known => known.name).join(', ')}`);

const root = fileURLToPath(new URL('../../', import.meta.url));
const waiting = new Set(mutant.breaks);

function broken(text, { file, find, replace }) {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`mutant ${name}: its text stands ${parts.length - 1} times in ${file}, once is wanted`);
  return parts.join(replace);
}

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.startsWith('file:')) return loaded;
    const breaks = mutant.breaks.filter(({ file }) => fileURLToPath(url) === `${root}${file}`);
    if (breaks.length === 0) return loaded;
    for (const one of breaks) waiting.delete(one);
    return { ...loaded, source: breaks.reduce(broken, String(loaded.source)) };
  },
});

// A mutant that is not applied any more must not pass for one that is.
if (isMainThread) {
  process.on('exit', () => {
    if (waiting.size === 0) return;
    console.error(`mutant ${name}: never loaded ${[...waiting].map(({ file }) => file).join(', ')}`);
    process.exitCode = 70;
  });
}
