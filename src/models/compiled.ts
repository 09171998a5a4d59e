/** Stages of a network compiled for a device, each once, in the forward and backward form that training needs. */
import { differentiate, prune, type Device, type Executable, type Graph, type Spec } from '../engine/index.ts';

/** A forward graph and what its backward graph needs from it. */
export interface Stage {
  /** Names its arrays in the workspace. */
  readonly key: string;
  readonly forward: Executable;
  readonly outputs: Readonly<Record<string, Spec>>;
  /** The first micro-batch of an update writes the gradients of weights, the others add to them. */
  readonly backward?: (writes: boolean) => Promise<Executable>;
}

export type Activations = 'saved' | 'recomputed';

/** Names of weights and biases, LoRA's included. */
export const isWeight = (name: string): boolean => /(weight|bias)$/.test(name);

export class Compiled {
  readonly #device: Device;
  readonly #trains: boolean;
  readonly #stages = new Map<string, Promise<Stage>>();
  readonly #executables = new Map<string, Promise<Executable>>();

  constructor(device: Device, trains: boolean) {
    this.#device = device;
    this.#trains = trains;
  }

  /**
   * The stage under `key`; when training, differentiated by the inputs that `wrt` picks. Gradients of those that `adds` picks
   * are always added to what is there: of an update's first micro-batch too.
   */
  stage(key: string, graph: () => Graph, wrt: (name: string) => boolean, adds: (name: string) => boolean = () => false, activations: Activations = 'saved'): Promise<Stage> {
    let stage = this.#stages.get(key);
    if (!stage) this.#stages.set(key, (stage = this.#build(key, prune(graph()), wrt, adds, activations)));
    return stage;
  }

  /** A graph that is not differentiated here. */
  executable(key: string, graph: () => Graph): Promise<Executable> {
    let executable = this.#executables.get(key);
    if (!executable) this.#executables.set(key, (executable = this.#device.compile(prune(graph()))));
    return executable;
  }

  async #build(key: string, graph: Graph, wrt: (name: string) => boolean, adds: (name: string) => boolean, activations: Activations): Promise<Stage> {
    const inputs = Object.keys(graph.inputs).filter(wrt);
    if (!this.#trains || inputs.length === 0) return { key, forward: await this.#device.compile(graph), outputs: graph.outputs };
    const split = (writes: boolean) => differentiate(graph, { wrt: inputs, accumulate: inputs.filter((n) => (isWeight(n) && !writes) || adds(n)), activations });
    const { forward } = split(true);
    return { key, forward: await this.#device.compile(forward), outputs: forward.outputs, backward: (writes) => this.executable(`${key} ${writes ? 'written' : 'added'}`, () => split(writes).backward) };
  }
}
