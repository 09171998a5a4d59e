/**
 * `npm test`: types, lint, then every test; `npm test -- tests/formats` runs the tests of a folder or file alone.
 * The last line is always `N passed, N failed` (`, N skipped`).
 */
import { fileURLToPath } from 'node:url';
import { close, runChecks, runTests, testFiles, underNode24 } from './runner.mjs';

const paths = process.argv.slice(2);
await underNode24(fileURLToPath(import.meta.url), paths);

try {
  const files = testFiles(paths);
  const checks = paths.length === 0 ? [runChecks(['types', 'types of the pages', 'lint'])] : [];
  close(...checks, await runTests(files));
} catch (error) {
  console.error(`npm test: ${error.message}`);
  process.exitCode = 2;
}
