/** Loads node-llama-cpp, for the processes that llama.cpp runs in: the only file that does. On the processor; nothing built or downloaded. */
import { pathToFileURL } from 'node:url';
import type * as library from 'node-llama-cpp';

export type { ControlledEvaluateInputItem, Llama, LlamaContext, LlamaContextSequence, LlamaModel, SequenceEvaluateOptions, Token } from 'node-llama-cpp';

export interface LoadedModel {
  readonly library: typeof library;
  readonly llama: library.Llama;
  readonly model: library.LlamaModel;
}

/** The last lines that llama.cpp said: its errors only say where to look. */
export const said: string[] = [];

/** @param entry node-llama-cpp's entry file. `checksMemory`: refuse what the machine has no memory for. */
export async function loadModel(entry: string, path: string, { threads, checksMemory = false }: { threads?: number | undefined; checksMemory?: boolean } = {}): Promise<LoadedModel> {
  const loaded = (await import(pathToFileURL(entry).href)) as typeof library;
  const llama = await loaded.getLlama({
    gpu: false, build: 'never', skipDownload: true, progressLogs: false, ...(threads === undefined ? {} : { maxThreads: threads }),
    logger: (level, message) => {
      if (level === 'error' || level === 'fatal' || level === 'warn') said.push(message.trim());
      if (said.length > 20) said.shift();
    },
  });
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0, ignoreMemorySafetyChecks: !checksMemory });
  return { library: loaded, llama, model };
}
