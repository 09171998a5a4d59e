/** Roslin as a library: what the command line is made of. The engine alone is `roslin/engine`. */
export { InputError, ResourceError, RoslinError, UsageError, type ErrorParts } from './errors.ts';
export { readRecords, type InstructionRecord } from './artefacts/record.ts';
export { inspectDataset, type Inspection } from './dataset/inspect.ts';
export { openModel, type OpenedModel } from './inference/open-model.ts';
export { answer, Answerer, type AnswererOptions, type AnswerResult, type Question } from './inference/answer.ts';
export { evaluate, type EvaluateOptions, type Evaluation } from './evaluate/held-out.ts';
export { exportModel, type ExportOptions } from './export/export.ts';
export { trainInProcess as train, planInProcess as plan } from './train/process.ts';
export { completeOptions, type TrainOptions } from './train/options.ts';
export type { TrainEvent } from './train/events.ts';
export type { Estimate, PlanEvent } from './train/plan.ts';
