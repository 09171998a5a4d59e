/** Whether WebGPU can be tested here. A child process asks, since a driver may well end the process that opens it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { loadOrt } from '../../src/engine/runtime/ort.ts';

/** Debian's `chromium` brings this driver in software. */
const SOFTWARE = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** A reason to skip, or undefined. The driver is named in the environment: must run before ONNX Runtime is loaded. */
export function noAdapter(): string | undefined {
  if (process.env['VK_ICD_FILENAMES'] === undefined && existsSync(SOFTWARE)) process.env['VK_ICD_FILENAMES'] = SOFTWARE;
  const engine = JSON.stringify(new URL('../../src/engine/index.ts', import.meta.url).href);
  const code = `const { WebGpuDevice } = await import(${engine}); await (await WebGpuDevice.create()).release();`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 });
  if (status === 0) return undefined;
  const found = /EngineError: (.*)/.exec(stderr)?.[1] ?? (status === null ? 'the driver crashed or hung' : `exit code ${status}`);
  return `needs a WebGPU adapter: libvulkan1 and a Vulkan driver, e.g. the software one in Debian's chromium (VK_ICD_FILENAMES=${SOFTWARE}). Here: ${found}`;
}

type Method = (...given: unknown[]) => unknown;

/** From now to the end of the test: buffers that runs gave and nobody has freed yet. */
export function countBuffers(t: TestContext): { live(): number } {
  const { InferenceSession, Tensor } = loadOrt() as unknown as Record<'InferenceSession' | 'Tensor', { prototype: Record<'run' | 'dispose', Method> }>;
  const held = new Set<unknown>();
  const { run } = InferenceSession.prototype;
  t.mock.method(InferenceSession.prototype, 'run', async function (this: object, ...given: unknown[]) {
    const results = (await Reflect.apply(run, this, given)) as Record<string, { location: string }>;
    for (const tensor of Object.values(results)) if (tensor.location === 'gpu-buffer') held.add(tensor);
    return results;
  });
  const { dispose } = Tensor.prototype;
  t.mock.method(Tensor.prototype, 'dispose', function (this: object) {
    held.delete(this);
    Reflect.apply(dispose, this, []);
  });
  return { live: () => held.size };
}
