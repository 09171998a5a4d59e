/** Whether WebGPU can be tested here. A child process asks, since a driver may well end the process that opens it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

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
