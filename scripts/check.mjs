/** `npm run check`: what must hold before a commit and takes seconds: types, lint, layers, budgets, surface. */
import { fileURLToPath } from 'node:url';
import { close, runChecks, runTests, testFiles, underNode24 } from './runner.mjs';

await underNode24(fileURLToPath(import.meta.url), []);
const house = ['layers', 'budget', 'surface'].map((name) => `tests/house/${name}.test.ts`);
close(runChecks(['types', 'types of the pages', 'lint']), await runTests(testFiles(house)));
