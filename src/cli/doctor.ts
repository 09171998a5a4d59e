/** `roslin doctor`: what this machine has and lacks, and the exact remedy. Tells no secret and changes nothing without --install. */
import { fork } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname, extname } from 'node:path';
import { Command } from 'commander';
import { VERSION } from '../artefacts/version.ts';
import { installOrt, locateOrt, runtimeFolder } from '../engine/runtime/ort.ts';
import { ORT_VERSION } from '../engine/runtime/version.ts';
import { hubSettings } from '../hub/settings.ts';
import { installLlama, llamaFolder, locateLlama } from '../llama-cpp/install.ts';
import { LLAMA_VERSION } from '../llama-cpp/version.ts';
import { showChecks, type CheckRow } from './check-table.ts';
import type { ProbeResult } from './probe.ts';
import { bytes, note, printJson, sanitise } from './terminal.ts';

/** `lacking` stops the main job. */
interface Check extends CheckRow {
  /** The same for programs. */
  readonly data?: Readonly<Record<string, unknown>>;
}

const GB = 1e9;
const PROBE_TIMEOUT_MS = 30_000;

export function command(): Command {
  return new Command()
    .option('--json', 'print one JSON object')
    .option('--install', 'fetch what is missing and can be fetched')
    .action(async ({ json, install }: { json?: true; install?: true }) => {
      if (install) installMissing();
      const checks = await examine();
      const ok = checks.every(({ status }) => status !== 'lacking');
      if (json) printJson({ ok, version: VERSION, checks });
      else showChecks(checks);
      process.exitCode = ok ? 0 : 1;
    });
}

function installMissing(): void {
  const [runtime, llama] = [locateOrt() === undefined, locateLlama() === undefined];
  if (runtime) {
    note(`Fetching ONNX Runtime ${ORT_VERSION} (about 110 MB) into ${runtimeFolder()} …`);
    installOrt();
  }
  if (llama) {
    note(`Fetching llama.cpp (node-llama-cpp ${LLAMA_VERSION}, about 90 MB) into ${llamaFolder()} …`);
    installLlama();
  }
  if (!runtime && !llama) note('Nothing to fetch: ONNX Runtime is here, its WebGPU support is part of it, and so is llama.cpp.');
}

async function examine(): Promise<Check[]> {
  return [node(), processor(), memory(), disk('disk here', process.cwd()), await computing(), await gpu(), await tokenizers(), llamaCpp(), hub()];
}

function node(): Check {
  const found = `${process.version} on ${process.platform}/${process.arch}`;
  if (Number(process.versions.node.split('.')[0]) >= 24) return { name: 'Node.js', status: 'ok', found };
  return { name: 'Node.js', status: 'lacking', found, remedy: 'Install Node.js 24 or later; in a clone, ./roslin brings it.' };
}

function processor(): Check {
  const cores = availableParallelism();
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  return { name: 'processor', status: 'ok', found: `${cores} ${cores === 1 ? 'core' : 'cores'}, ${sanitise(model)}`, data: { cores, model } };
}

function memory(): Check {
  const limit = process.constrainedMemory();
  const total = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  const available = Math.min(process.availableMemory(), total);
  const check = { name: 'memory', found: `${bytes(available)} free of ${bytes(total)}`, data: { total, available } };
  if (available >= 4 * GB) return { ...check, status: 'ok' };
  return { ...check, status: 'limited', remedy: 'Close other programs, or keep to small models: "roslin plan" tells what a run needs.' };
}

function disk(name: string, folder: string): Check {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const check = { name, found: `${bytes(free)} free`, data: { folder, free } };
  if (free >= 5 * GB) return { ...check, status: 'ok' };
  return { ...check, status: 'limited', remedy: 'Free some space: a model of 135 million parameters with its optimizer takes about 2 GB in a full run.' };
}

async function computing(): Promise<Check> {
  const name = 'computing';
  if (locateOrt() === undefined) {
    return { name, status: 'limited', found: `ONNX Runtime ${ORT_VERSION} is not here yet`, remedy: 'roslin doctor --install   (or let the first use fetch it)' };
  }
  const { ok, gflops = 0, error = '' } = await probe('cpu');
  if (ok) return { name, status: 'ok', found: `ONNX Runtime ${ORT_VERSION}, ${gflops.toFixed(0)} GFLOP/s in fp32 products`, data: { gflops } };
  return { name, status: 'lacking', found: `ONNX Runtime ${ORT_VERSION} does not work: ${sanitise(error)}`, remedy: 'It needs Linux with glibc (x64, arm64), Windows (x64, arm64) or macOS (arm64).' };
}

async function gpu(): Promise<Check> {
  const name = 'GPU';
  if (locateOrt() === undefined) return { name, status: 'limited', found: 'not tried without ONNX Runtime', data: { webgpu: false } };
  const { ok, gflops = 0, error = '' } = await probe('webgpu');
  if (ok) return { name, status: 'ok', found: `WebGPU works, ${gflops.toFixed(0)} GFLOP/s in fp32 products`, data: { webgpu: true, gflops } };
  const remedy =
    process.platform === 'linux'
      ? 'Only for a GPU: install its Vulkan driver (Debian and Ubuntu: apt install mesa-vulkan-drivers, or NVIDIA\'s own).'
      : 'Only for a GPU: update the graphics driver.';
  return { name, status: 'limited', found: `none that WebGPU can use (${reason(error)}); the CPU does the work`, remedy, data: { webgpu: false, error } };
}

/** ONNX Runtime puts a source line and a condition before what it has to say. */
function reason(error: string): string {
  return sanitise(error).replace(/^.* was false\. /s, '').trim().slice(0, 160);
}

/** Runs probe.ts on a device in its own process; a crash or a hang is an answer too. */
function probe(device: string): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const child = fork(new URL(`./probe${extname(import.meta.url)}`, import.meta.url), { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), PROBE_TIMEOUT_MS);
    const answer = (result: ProbeResult) => {
      clearTimeout(timer);
      resolve(result);
    };
    child.once('message', (result) => answer(result as ProbeResult));
    child.once('error', (error) => answer({ ok: false, error: error.message }));
    child.once('exit', (code, signal) => answer({ ok: false, error: signal === 'SIGKILL' ? 'no answer' : `the runtime ended with ${signal ?? `code ${code}`}` }));
    child.send(device);
  });
}

async function tokenizers(): Promise<Check> {
  const name = 'tokenizers';
  try {
    await import('tokenizers');
    return { name, status: 'ok', found: 'load' };
  } catch (error) {
    return { name, status: 'lacking', found: `do not load: ${sanitise(String(error))}`, remedy: 'Install again: npm ci in a clone, npm install elsewhere.' };
  }
}

function llamaCpp(): Check {
  const name = 'llama.cpp';
  if (locateLlama() !== undefined) return { name, status: 'ok', found: `node-llama-cpp ${LLAMA_VERSION}, in which exports are tried` };
  return { name, status: 'limited', found: 'not here yet; only export needs it', remedy: 'roslin doctor --install   (or let the first export fetch it)' };
}

function hub(): Check {
  const { endpoint, token, offline, cacheDir } = hubSettings();
  const data = { endpoint, token: token !== undefined, offline, cache: cacheDir };
  const found = `${endpoint}${offline ? ' (offline: only the cache is used)' : ''}, ${token ? 'with' : 'no'} access token, cache in ${cacheDir}`;
  const { status, remedy } = disk('', existing(cacheDir));
  return { name: 'hub', status, found, data, ...(remedy && { remedy }) };
}

/** The nearest folder upwards that is there. */
function existing(folder: string): string {
  return existsSync(folder) ? folder : existing(dirname(folder));
}
