/** The process with a model on llama.cpp. */
import { serveParent } from './batch.ts';
import { LlamaBatch } from './llama-batch.ts';

await serveParent((request) => LlamaBatch.open(request));
