#!/usr/bin/env node
/** The command line: which verbs there are. How they are run, and how errors end, is in run.ts. */
import { run, type Verb } from './run.ts';

/**
 * One line a verb, in the order of the flow: its summary for `roslin --help`, and its file, loaded only when the verb is
 * used. The file exports `command(): Command`. `engine: true` says that it computes, so that a missing
 * ONNX Runtime is fetched before, with a word about it.
 */
const VERBS: Record<string, Verb> = {
  up: { summary: 'the studio: people write and review records in the browser', load: () => import('./up.ts') },
  dataset: { summary: 'import, seal, split, look into and export records', load: () => import('./dataset.ts') },
  pretrain: { summary: 'a small base model from nothing but text, or a base that learns more of it', engine: true, load: () => import('./pretrain.ts') },
  plan: { summary: 'what a training run will take: tokens, memory, time, disk', engine: true, load: () => import('./plan.ts') },
  train: { summary: 'fine-tune a base model on records', engine: true, load: () => import('./train.ts') },
  evaluate: { summary: 'loss and answers on records the model never saw', engine: true, load: () => import('./evaluate.ts') },
  generate: { summary: 'one answer to one instruction', engine: true, load: () => import('./generate.ts') },
  export: { summary: 'the model as GGUF, safetensors or adapter, tried in llama.cpp', engine: true, load: () => import('./export.ts') },
  chat: { summary: 'questions and answers in the terminal', engine: true, load: () => import('./chat.ts') },
  licences: { summary: 'what licences of base and data come to', load: () => import('./licences.ts') },
  serve: { summary: 'a server that speaks the OpenAI API', load: () => import('./serve.ts') },
  backup: { summary: 'everything of a studio as one file, also while it runs', load: () => import('./backup.ts') },
  restore: { summary: 'a backup into an empty workspace', load: () => import('./restore.ts') },
  doctor: { summary: 'what this machine has and lacks, and the exact remedy', load: () => import('./doctor.ts') },
};

process.exitCode = await run(process.argv.slice(2), VERBS);
