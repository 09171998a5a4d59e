/** What source files import, and the layer rule over it. Pure, so that it can be tried on code that breaks it. */
import { dirname, join, normalize } from 'node:path/posix';

export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const STATEMENT = /(?:^|[;}\n])\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s*)?['"]([^'"\n]+)['"]/g;
const CALL = /\b(?:import|require|fork|URL)\s*\(\s*(?:new URL\()?['"`](\.{1,2}\/[^'"`\n]+|[@\w][^'"`\n]*)['"`]/g;

/** Every module that a source names: static and dynamic imports, re-exports, require, new URL of a file beside it. */
export function importsOf(source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const statements = [...code.matchAll(STATEMENT)].map((m) => ({ specifier: m[2] ?? '', typeOnly: m[1] !== undefined }));
  const calls = [...code.matchAll(CALL)].map((m) => ({ specifier: m[1] ?? '', typeOnly: false }));
  return [...statements, ...calls];
}

const BELOW_STAGES = ['inference', 'models', 'tokenizer', 'artefacts', 'formats', 'hub', 'engine', 'licence', 'text', 'llama-cpp'];
const STAGES = ['collect', 'dataset', 'train', 'evaluate', 'export', 'serve'];
const SHELLS = ['cli', 'server', 'web'];

/** Layer -> the other layers it may import. Stages meet only through artefacts; shells may import all but each other. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  formats: [],
  licence: [],
  text: [],
  'llama-cpp': ['formats'],
  artefacts: ['formats'],
  hub: ['artefacts'],
  models: ['engine', 'formats', 'artefacts'],
  tokenizer: ['formats', 'artefacts'],
  inference: ['models', 'tokenizer', 'engine', 'artefacts', 'formats'],
  store: ['artefacts', 'formats'],
  ...Object.fromEntries(STAGES.map((stage) => [stage, BELOW_STAGES])),
  collect: [...BELOW_STAGES, 'store'],
  server: [...STAGES, ...BELOW_STAGES, 'store'],
  cli: [...STAGES, ...BELOW_STAGES, 'store', 'server'],
  web: ['collect', 'text', 'server'],
};

/** What a browser may load as well: it imports nothing but its own kind, no package and nothing of Node. */
const PURE = ['src/collect/rules/', 'src/collect/guidelines/', 'src/collect/demo/', 'src/errors.ts', 'src/artefacts/random.ts', 'src/text/words.ts', 'src/text/normalise.ts', 'src/text/categories.ts', 'src/text/form-rules.ts', 'src/text/form-checks.ts'];
const isPure = (path: string) => PURE.some((start) => path.startsWith(start));

/** What of the server the web may import: types alone, which are gone at run time. */
const CONTRACT = 'src/server/contract.ts';

/** Packages that a layer is limited to; the others may use what package.json lists. */
const ONLY_PACKAGES: Readonly<Record<string, readonly string[]>> = { engine: ['onnxruntime-node', '@bufbuild/protobuf'] };

/** The one file that may load ONNX Runtime: the published package does not depend on it, see docs/decisions/0002. */
const ORT_LOADER = 'src/engine/runtime/ort.ts';

/** The one file that may load llama.cpp, in processes of their own: docs/decisions/0008. */
const LLAMA_LOADER = 'src/llama-cpp/load.ts';

/** The layer of src/<layer>/…; a file directly under src/ is its own ("errors.ts", "index.ts"). */
const layerOf = (path: string) => path.split('/')[1] ?? '';

/** Everything that breaks the rule in these sources (path from the root -> text), as sentences. `bundled`: packages that the pages are built with, which users need not install. */
export function violations(files: ReadonlyMap<string, string>, packages: readonly string[], bundled: readonly string[] = []): string[] {
  const found: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [path, source] of files) {
    const layer = layerOf(path);
    if (!layer.includes('.') && !(layer in MAY_IMPORT)) found.push(`${path}: src/${layer}/ is not a layer; add it to the table in tests/house/imports.ts`);
    const targets: string[] = [];
    for (const { specifier, typeOnly } of importsOf(source)) {
      if (isPure(path) && !specifier.startsWith('.')) found.push(`${path} imports ${specifier}, but must be able to run in a browser`);
      if (specifier.startsWith('node:')) continue;
      if (!specifier.startsWith('.')) {
        found.push(...packageViolations(path, layer, specifier, typeOnly, layer === 'web' ? bundled : packages));
        continue;
      }
      const target = normalize(join(dirname(path), specifier));
      if (!target.startsWith('src/')) {
        if (target !== 'package.json') found.push(`${path} reaches outside src/: ${target}`);
        continue;
      }
      // An import of types alone is gone at run time: it must keep the direction, but makes no cycle.
      if (!typeOnly) targets.push(target);
      const to = layerOf(target);
      if (isPure(path) && !isPure(target)) found.push(`${path} imports ${target}, but must be able to run in a browser`);
      if (layer === 'web' && to !== 'web' && !isPure(target) && !(typeOnly && target === CONTRACT)) found.push(`${path} imports ${target}, which a browser cannot run`);
      if (!mayImport(layer, to)) found.push(`${path} imports ${target}: ${layer} may not import ${to}`);
    }
    graph.set(path, targets);
  }
  const cycle = findCycle(graph);
  return cycle ? [...found, `cycle: ${cycle.join(' -> ')}`] : found;
}

function mayImport(layer: string, to: string): boolean {
  if (to === layer) return true;
  if (to === 'errors.ts') return layer !== 'engine';
  if (layer === 'errors.ts') return false;
  if (layer.endsWith('.ts')) return !SHELLS.includes(to);
  return MAY_IMPORT[layer]?.includes(to) ?? false;
}

function packageViolations(path: string, layer: string, specifier: string, typeOnly: boolean, packages: readonly string[]): string[] {
  const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  const found: string[] = [];
  if (!packages.includes(name)) found.push(`${path} imports ${name}, which package.json does not list for users`);
  const only = ONLY_PACKAGES[layer];
  if (only && !only.includes(name)) found.push(`${path} imports ${name}: ${layer} may use only ${only.join(' and ')}`);
  if (name === 'onnxruntime-node' && !typeOnly) found.push(`${path} loads onnxruntime-node: only ${ORT_LOADER} does, others call its loadOrt() and import types`);
  if (name === 'node-llama-cpp' && (!typeOnly || path !== LLAMA_LOADER)) found.push(`${path} loads node-llama-cpp: only ${LLAMA_LOADER} does, others use src/llama-cpp/client.ts, or what it gives`);
  return found;
}

/** Some cycle of imports of values, if there is one. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (node: string): string[] | undefined => {
    const at = trail.indexOf(node);
    if (at >= 0) return [...trail.slice(at), node];
    if (done.has(node)) return undefined;
    trail.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    trail.pop();
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle) return cycle;
  }
  return undefined;
}
