/** Runs a graph on a device with values given as doubles. */
import type { Device, Graph, Value } from '../../src/engine/index.ts';

/** Shapes of a graph's outputs once the shapes of its inputs are known. */
function bindOutputs(graph: Graph, inputs: Readonly<Record<string, Value>>): Record<string, number[]> {
  const sizes: Record<string, number> = {};
  for (const [name, t] of Object.entries(graph.inputs)) t.shape.forEach((d, i) => typeof d === 'string' && (sizes[d] = inputs[name]!.shape[i]!));
  return Object.fromEntries(Object.entries(graph.outputs).map(([name, t]) => [name, t.shape.map((d) => (typeof d === 'number' ? d : sizes[d]!))]));
}

export async function runOn(device: Device, graph: Graph, inputs: Record<string, Value>): Promise<Record<string, Value>> {
  const executable = await device.compile(graph);
  const feeds = Object.fromEntries(Object.entries(graph.inputs).map(([name, t]) => {
    const { shape, data } = inputs[name]!;
    return [name, device.upload(t.dtype === 'f32' ? Float32Array.from(data) : Int32Array.from(data), shape)];
  }));
  const outputs = Object.fromEntries(Object.entries(bindOutputs(graph, inputs)).map(([name, shape]) => [name, device.zeros(graph.outputs[name]!.dtype, shape)]));
  await executable.run(feeds, outputs);
  const out: Record<string, Value> = {};
  for (const [name, array] of Object.entries(outputs)) out[name] = { shape: array.shape, data: Float64Array.from(await device.read(array)) };
  return out;
}
