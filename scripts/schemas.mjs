/** `npm run schemas`: writes the published JSON Schemas from the code that checks records. A test compares them. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrapOrExit, root, runNode } from './bootstrap.mjs';

const env = await bootstrapOrExit();
const schema = pathToFileURL(join(root, 'src', 'artefacts', 'record-schema.ts')).href;
const code = `
import { mkdirSync, writeFileSync } from 'node:fs';
const { recordJsonSchema } = await import(${JSON.stringify(schema)});
mkdirSync('schemas', { recursive: true });
writeFileSync('schemas/record.schema.json', JSON.stringify(recordJsonSchema(), null, 2) + '\\n');
`;
process.exitCode = runNode(['--input-type=module', '-e', code], { env, cwd: root });
