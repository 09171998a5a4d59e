/** Whether WebGPU can be tested here. The driver is chosen by the environment when the library loads, so a child process asks. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const SOFTWARE = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json'];

/** Must run before ONNX Runtime is loaded in this process. A reason to skip, or undefined. */
export function noAdapter(): string | undefined {
  process.env['VK_ICD_FILENAMES'] ??= SOFTWARE.find((path) => existsSync(path)) ?? '';
  const code = `const { WebGpuDevice } = await import(${JSON.stringify(new URL('../../src/engine/index.ts', import.meta.url).href)}); await (await WebGpuDevice.create()).release();`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore', timeout: 60_000 });
  return status === 0 ? undefined : 'no WebGPU adapter: install a Vulkan driver, e.g. Debian\'s libvulkan1 and chromium (its software driver) or mesa-vulkan-drivers';
}
