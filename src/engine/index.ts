/**
 * The engine: a small JAX whose machine code is ONNX Runtime. Write a function over symbolic tensors, differentiate it,
 * compile it for a device, run it on arrays. Imports nothing of the rest of the project.
 */
export { EngineError } from './errors.ts';
export type { DType, HostData } from './dtype.ts';
export type { Dim, Shape } from './shape.ts';
export { constant, f32, i32, input, trace, type Graph, type Spec, type Tensor, type Tensors } from './graph.ts';
export * as ops from './ops.ts';
export { differentiate, gradients, prune, valueAndGradient, type Differentiated, type DifferentiateOptions } from './autodiff.ts';
export { evaluate, type Value } from './reference.ts';
export { linear, lowRank } from './nn/linear.ts';
export { attention, type AttentionInputs } from './nn/attention.ts';
export { rotaryTables, type RotaryTables } from './nn/rotary.ts';
export type { Arrays, Device, DeviceArray, Executable } from './runtime/device.ts';
export { AdamW, type AdamWOptions, type Parameter, type StepOptions } from './optim/adamw.ts';
export { RowSet } from './optim/row-set.ts';
export { learningRate, type Schedule } from './optim/schedule.ts';
export { WebGpuDevice } from './runtime/webgpu.ts';
export { ORT_VERSION } from './runtime/version.ts';
export { CpuArray, CpuDevice, HEAP, type CpuOptions } from './runtime/cpu.ts';
