/**
 * A graph as an ONNX model: one row a primitive. Fused operators of ONNX Runtime stand where they pay: a product that
 * reads a transposed operand in place, a product that adds a bias or an accumulator while it writes.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { EngineError } from '../errors.ts';
import { topological, type Graph, type Tensor } from '../graph.ts';
import type { ParamsOf, Primitive } from '../primitives.ts';
import { sameShape, type Shape } from '../shape.ts';
import type { DType } from '../dtype.ts';
import { ModelProtoSchema, TensorProto_DataType, AttributeProto_AttributeType as Attr } from './onnx_pb.js';

export type Target = 'cpu' | 'webgpu';
type Attributes = Readonly<Record<string, number | bigint | string | readonly number[]>>;

const OPSET = 20n;
const IR = 10n;
const ELEMENT: Readonly<Record<DType, number>> = { f32: TensorProto_DataType.FLOAT, i32: TensorProto_DataType.INT32, bool: TensorProto_DataType.BOOL };
const MICROSOFT = 'com.microsoft';

/** Integers are given as bigint, floats as number: ONNX tells the two apart. */
function attribute(name: string, value: Attributes[string]) {
  if (typeof value === 'bigint') return { name, type: Attr.INT, i: value };
  if (typeof value === 'number') return { name, type: Attr.FLOAT, f: value };
  if (typeof value === 'string') return { name, type: Attr.STRING, s: new TextEncoder().encode(value) };
  return { name, type: Attr.INTS, ints: value.map(BigInt) };
}

/**
 * First output of a graph for the CPU: an empty sequence, which the Node binding refuses to hand out. It refuses after the run and
 * before it has copied the outputs that follow, which the caller's memory holds already (`runtime/cpu.ts`).
 */
export const UNTAKEN = 'untaken';

const untaken = {
  name: UNTAKEN,
  type: { value: { case: 'sequenceType' as const, value: { elemType: { value: { case: 'tensorType' as const, value: { elemType: TensorProto_DataType.FLOAT } } } } } },
};

function valueInfo(name: string, shape: Shape, dtype: DType) {
  const dim = shape.map((d) => ({
    value: typeof d === 'number' ? { case: 'dimValue' as const, value: BigInt(d) } : { case: 'dimParam' as const, value: d },
  }));
  return { name, type: { value: { case: 'tensorType' as const, value: { elemType: ELEMENT[dtype], shape: { dim } } } } };
}

interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  input: string[];
  output: string[];
  readonly attribute: object[];
}

/** Lowers on demand, so that a product which joined an addition leaves nothing behind. */
class Builder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: object[] = [];
  readonly target: Target;
  readonly uses: ReadonlyMap<Tensor, number>;
  /** Outputs of the graph whose memory is written under another shape: the runtime takes it from the model. */
  readonly shapes = new Map<Tensor, Shape>();
  readonly #outputs: ReadonlySet<Tensor>;
  readonly #names = new Map<Tensor, string>();
  readonly #constants = new Map<string, string>();
  #next = 0;

  constructor(graph: Graph, target: Target) {
    this.target = target;
    this.uses = countUses(graph);
    this.#outputs = new Set(Object.values(graph.outputs));
    for (const [name, t] of Object.entries(graph.inputs)) this.#names.set(t, name);
  }

  /** The ONNX name of a tensor; its node is lowered when it is first asked for. */
  name(t: Tensor): string {
    const known = this.#names.get(t);
    if (known !== undefined) return known;
    const { node } = t;
    if (node.op === 'input') throw new EngineError(`internal: ${node.name} is not an input of this graph`);
    if (node.op === 'constant') this.#names.set(t, this.value(node.data, t.shape as number[], t.dtype));
    else {
      const row = LOWERINGS[node.op] as Lowering<Primitive>;
      row(this, node).forEach((name, i) => this.#names.set(node.outputs[i]!, name));
    }
    return this.#names.get(t)!;
  }

  /** Gives the tensor a name of the caller's, as outputs of a graph have. */
  publish(t: Tensor, name: string, taken: Set<string>): void {
    const from = this.name(t);
    if (taken.has(from)) {
      this.nodes.push({ opType: 'Identity', domain: '', input: [from], output: [name], attribute: [] });
      return;
    }
    taken.add(name);
    for (const [tensor, n] of this.#names) if (n === from) this.#names.set(tensor, name);
    const rename = (n: string) => (n === from ? name : n);
    for (const node of this.nodes) {
      node.input = node.input.map(rename);
      node.output = node.output.map(rename);
    }
  }

  /** Whether a tensor is an output of the graph and nothing else. */
  isOutput(t: Tensor): boolean {
    return this.#outputs.has(t) && this.uses.get(t) === 1;
  }

  fresh(): string {
    return `t${this.#next++}`;
  }

  op(opType: string, inputs: readonly string[], attributes: Attributes = {}, { domain = '', outputs = 1 } = {}): string[] {
    const output = Array.from({ length: outputs }, () => this.fresh());
    this.nodes.push({ opType, domain, input: [...inputs], output, attribute: Object.entries(attributes).map(([k, v]) => attribute(k, v)) });
    return output;
  }

  #initializer(dataType: number, dims: readonly number[], bytes: Uint8Array): string {
    const key = `${dataType}:${dims.join()}:${bytes.join()}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.fresh();
    this.initializers.push({ name, dataType, dims: dims.map(BigInt), rawData: bytes });
    this.#constants.set(key, name);
    return name;
  }

  ints(...values: number[]): string {
    return this.#initializer(TensorProto_DataType.INT64, [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
  }

  value(data: readonly number[], dims: readonly number[], dtype: DType = 'f32'): string {
    const array = dtype === 'f32' ? Float32Array.from(data) : dtype === 'i32' ? Int32Array.from(data) : Uint8Array.from(data);
    return this.#initializer(ELEMENT[dtype], dims, new Uint8Array(array.buffer));
  }
}

interface Applied<P extends Primitive> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly params: ParamsOf<P>;
}
type Lowering<P extends Primitive> = (b: Builder, node: Applied<P>) => string[];
type Plain = (b: Builder, node: { readonly inputs: readonly Tensor[] }) => string[];

const simple = (op: string, attributes: Attributes = {}): Plain => (b, { inputs }) => b.op(op, names(b, inputs), attributes);
const names = (b: Builder, tensors: readonly Tensor[]) => tensors.map((t) => b.name(t));
const flag = (on: boolean) => (on ? 1n : 0n);

/** For `add`: a 2-D product that nothing else reads, and a bias of its last axis or a full matrix, become one Gemm. */
const add: Lowering<'add'> = (b, { inputs }) => {
  const [p, q] = inputs as [Tensor, Tensor];
  for (const [product, addend] of [[p, q], [q, p]] as const) {
    const { node } = product;
    const lonely = node.op === 'matmul' && b.uses.get(product) === 1 && product.shape.length === 2;
    if (!lonely || !(sameShape(addend.shape, product.shape) || sameShape(addend.shape, product.shape.slice(1)))) continue;
    const { transA, transB, alpha } = node.params as ParamsOf<'matmul'>;
    return b.op('Gemm', names(b, [...node.inputs, addend]), { transA: flag(transA), transB: flag(transB), alpha });
  }
  return b.op('Add', names(b, inputs));
};

/**
 * Rows of the result that a product with a transposed left operand makes at once on the CPU. All rows of a table of words at once would pass
 * through memory once for every 128 rows that are summed over; so many stay in a core's cache. Undefined: all.
 */
function rowsAtOnce(rows: number): number | undefined {
  if (rows < 8192) return undefined;
  for (let n = 1536; n >= 256; n--) if (rows % n === 0) return n;
  return undefined;
}

/** An output [rows, columns] as [parts, rows of a part, columns], which is the same memory; undefined where that does not pay. */
const inParts = (b: Builder, { inputs: [x, y], outputs: [result], params: { transA, transB, alpha } }: Applied<'matmul'>): string[] | undefined => {
  const [rows, columns] = result!.shape as Shape & [Shape[0], Shape[0]];
  if (b.target !== 'cpu' || !transA || transB || result!.shape.length !== 2 || typeof rows !== 'number' || !b.isOutput(result!)) return undefined;
  const part = rowsAtOnce(rows);
  if (part === undefined) return undefined;
  b.shapes.set(result!, [rows / part, part, columns]);
  const [parts] = b.op('Reshape', [b.name(x!), b.ints(-1, rows / part, part)]);
  return b.op('FusedMatMul', [parts!, b.op('Unsqueeze', [b.name(y!), b.ints(0)])[0]!], { transA: 1n, transBatchA: 1n, alpha }, { domain: MICROSOFT });
};

const matmul: Lowering<'matmul'> = (b, node) => {
  const parts = inParts(b, node);
  if (parts) return parts;
  const { inputs, params: { transA, transB, alpha } } = node;
  const [x, y] = names(b, inputs);
  if (!transA && !transB && alpha === 1) return b.op('MatMul', [x!, y!]);
  if (inputs.every((t) => t.shape.length === 2)) return b.op('Gemm', [x!, y!], { transA: flag(transA), transB: flag(transB), alpha });
  if (b.target === 'cpu') return b.op('FusedMatMul', [x!, y!], { transA: flag(transA), transB: flag(transB), alpha }, { domain: MICROSOFT });
  const flip = (name: string, t: Tensor) => {
    const n = t.shape.length;
    return b.op('Transpose', [name], { perm: t.shape.map((_, i) => (i === n - 1 ? n - 2 : i === n - 2 ? n - 1 : i)) })[0]!;
  };
  const [product] = b.op('MatMul', [transA ? flip(x!, inputs[0]!) : x!, transB ? flip(y!, inputs[1]!) : y!]);
  return alpha === 1 ? [product!] : b.op('Mul', [product!, b.value([alpha], [])]);
};

/** Sums over rows are a product with a row of ones on the CPU: several times faster than the reduction kernel. */
const reduceSum: Lowering<'reduceSum'> = (b, { inputs: [input], params: { axes, keep } }) => {
  const x = b.name(input!);
  if (b.target === 'cpu' && input!.shape.length === 2 && axes.length === 1 && axes[0] === 0) {
    const [rows] = b.op('Slice', [b.op('Shape', [x])[0]!, b.ints(0), b.ints(1)]);
    const [shape] = b.op('Concat', [b.ints(1), rows!], { axis: 0n });
    const [ones] = b.op('Expand', [b.value([1], [1, 1]), shape!]);
    const [sum] = b.op('MatMul', [ones!, x]);
    return keep ? [sum!] : b.op('Squeeze', [sum!, b.ints(0)]);
  }
  return b.op('ReduceSum', [x, b.ints(...axes)], { keepdims: flag(keep) });
};

const reshape: Lowering<'reshape'> = (b, { inputs: [x], params: { shape } }) => b.op('Reshape', [b.name(x!), b.ints(...shape.map((d) => (typeof d === 'number' ? d : -1)))]);

const rotary: Lowering<'rotary'> = (b, { inputs, params: { interleaved } }) => {
  const [x, positions, cos, sin] = names(b, inputs);
  const [, heads, d] = inputs[0]!.shape as [string, number, number];
  const half = inputs[2]!.shape[1] as number;
  // Each row as a sequence of one: rows of several records together may be longer than the tables.
  const [position] = b.op('Cast', [b.op('Unsqueeze', [positions!, b.ints(1)])[0]!], { to: BigInt(TensorProto_DataType.INT64) });
  const [flat] = b.op('Reshape', [x!, b.ints(-1, 1, heads * d)]);
  const partial = 2 * half < d ? { rotary_embedding_dim: BigInt(2 * half) } : {};
  const [turned] = b.op('RotaryEmbedding', [flat!, position!, cos!, sin!], { interleaved: flag(interleaved), num_heads: BigInt(heads), ...partial }, { domain: MICROSOFT });
  return b.op('Reshape', [turned!, b.ints(-1, heads, d)]);
};

const column = (b: Builder, indices: string) => b.op('Unsqueeze', [indices, b.ints(1)])[0]!;

const crossEntropy: Lowering<'crossEntropy'> = (b, { inputs }) => {
  const [logits, targets] = names(b, inputs);
  // The largest probability is at least 1 / V, so the log of the sum is taken from it without an overflow or a second pass of exp.
  const [probabilities] = b.op('Softmax', [logits!], { axis: -1n });
  const [top] = b.op('ReduceMax', [logits!, b.ints(1)], { keepdims: 0n });
  const [topProbability] = b.op('ReduceMax', [probabilities!, b.ints(1)], { keepdims: 0n });
  const [logSum] = b.op('Sub', [top!, b.op('Log', [topProbability!])[0]!]);
  const [target] = b.op('GatherElements', [logits!, column(b, targets!)], { axis: 1n });
  return [b.op('Sub', [logSum!, b.op('Squeeze', [target!, b.ints(1)])[0]!])[0]!, probabilities!];
};

/** Indices [N] repeated over the other axes of the updates, as ScatterElements wants them. */
function spread(b: Builder, indices: string, updates: string, rank: number): string {
  const [tall] = rank === 1 ? [indices] : b.op('Unsqueeze', [indices, b.ints(...Array.from({ length: rank - 1 }, (_, i) => i + 1))]);
  return b.op('Expand', [tall!, b.op('Shape', [updates])[0]!])[0]!;
}

/** The CPU kernel gives the statistics that the gradient needs; elsewhere they are computed beside it. */
const layerNorm: Lowering<'layerNorm'> = (b, { inputs, params: { epsilon } }) => {
  const [x, scale, bias] = names(b, inputs);
  if (b.target === 'cpu') return b.op('LayerNormalization', [x!, scale!, bias!], { axis: -1n, epsilon }, { outputs: 3 });
  const [mean] = b.op('ReduceMean', [x!, b.ints(-1)], { keepdims: 1n });
  const [centred] = b.op('Sub', [x!, mean!]);
  const [variance] = b.op('ReduceMean', [b.op('Mul', [centred!, centred!])[0]!, b.ints(-1)], { keepdims: 1n });
  const [inverse] = b.op('Reciprocal', [b.op('Sqrt', [b.op('Add', [variance!, b.value([epsilon], [])])[0]!])[0]!]);
  const [scaled] = b.op('Mul', [b.op('Mul', [centred!, inverse!])[0]!, scale!]);
  return [b.op('Add', [scaled!, bias!])[0]!, mean!, inverse!];
};

const rmsNorm: Lowering<'rmsNorm'> = (b, { inputs, params: { epsilon } }) => {
  const [x, scale] = names(b, inputs);
  if (b.target === 'cpu') return b.op('SimplifiedLayerNormalization', [x!, scale!], { axis: -1n, epsilon, stash_type: 1n }, { outputs: 2 });
  const [square] = b.op('ReduceMean', [b.op('Mul', [x!, x!])[0]!, b.ints(-1)], { keepdims: 1n });
  const [inverse] = b.op('Reciprocal', [b.op('Sqrt', [b.op('Add', [square!, b.value([epsilon], [])])[0]!])[0]!]);
  return [b.op('Mul', [b.op('Mul', [x!, inverse!])[0]!, scale!])[0]!, inverse!];
};

const LOWERINGS: { readonly [P in Primitive]: Lowering<P> } = {
  add,
  sub: simple('Sub'), mul: simple('Mul'), div: simple('Div'),
  neg: simple('Neg'), exp: simple('Exp'), log: simple('Log'), sqrt: simple('Sqrt'), tanh: simple('Tanh'), erf: simple('Erf'), sigmoid: simple('Sigmoid'),
  silu: (b, { inputs }) => {
    const x = names(b, inputs);
    return b.target === 'cpu' ? b.op('QuickGelu', x, { alpha: 1 }, { domain: MICROSOFT }) : b.op('Mul', [x[0]!, b.op('Sigmoid', x)[0]!]);
  },
  gelu: (b, { inputs, params: { form } }) => b.op('Gelu', names(b, inputs), { approximate: form === 'erf' ? 'none' : 'tanh' }),
  stopGradient: simple('Identity'),
  equal: simple('Equal'), greaterOrEqual: simple('GreaterOrEqual'), and: simple('And'), where: simple('Where'),
  matmul,
  reduceSum,
  reduceMax: (b, { inputs: [x], params: { axes, keep } }) => b.op('ReduceMax', [b.name(x!), b.ints(...axes)], { keepdims: flag(keep) }),
  reshape,
  transpose: (b, { inputs, params: { perm } }) => b.op('Transpose', names(b, inputs), { perm }),
  expandLike: (b, { inputs: [x, y] }) => b.op('Expand', [b.name(x!), b.op('Shape', [b.name(y!)])[0]!]),
  zerosLike: (b, { inputs: [x] }) => b.op('Expand', [b.value([0], []), b.op('Shape', [b.name(x!)])[0]!]),
  concat: (b, { inputs, params: { axis } }) => b.op('Concat', names(b, inputs), { axis: BigInt(axis) }),
  slice: (b, { inputs: [x], params: { axis, start, end } }) => b.op('Slice', [b.name(x!), b.ints(start), b.ints(end), b.ints(axis)]),
  pad: (b, { inputs: [x], params: { axis, before, after } }) => b.op('Pad', [b.name(x!), b.ints(before, after), b.value([0], []), b.ints(axis)], { mode: 'constant' }),
  gather: simple('Gather', { axis: 0n }),
  scatterAdd: (b, { inputs }) => {
    const [base, indices, updates] = names(b, inputs);
    return b.op('ScatterElements', [base!, spread(b, indices!, updates!, inputs[2]!.shape.length), updates!], { axis: 0n, reduction: 'add' });
  },
  addAt: (b, { inputs: [x, indices], params: { value } }) => {
    const at = column(b, b.name(indices!));
    // Probabilities are changed in place if nothing reads them later: the loss, whose shape is asked for here, comes first.
    const { node } = x!;
    const [shape] = node.op === 'crossEntropy' ? b.op('Shape', [b.op('Unsqueeze', [b.name(node.outputs[0]!), b.ints(1)])[0]!]) : b.op('Shape', [at]);
    return b.op('ScatterElements', [b.name(x!), at, b.op('Expand', [b.value([value], []), shape!])[0]!], { axis: 1n, reduction: 'add' });
  },
  softmax: simple('Softmax', { axis: -1n }),
  layerNorm,
  rmsNorm,
  rotary,
  crossEntropy,
};

/** How often each tensor is read, graph outputs included. */
function countUses(graph: Graph): Map<Tensor, number> {
  const uses = new Map<Tensor, number>();
  const use = (t: Tensor) => uses.set(t, (uses.get(t) ?? 0) + 1);
  Object.values(graph.outputs).forEach(use);
  for (const node of topological(Object.values(graph.outputs))) node.inputs.forEach(use);
  return uses;
}

/** Bytes of a ModelProto whose inputs and outputs carry the graph's names. */
export function lower(graph: Graph, target: Target): Uint8Array<ArrayBuffer> {
  const b = new Builder(graph, target);
  const taken = new Set(Object.keys(graph.inputs));
  for (const [name, t] of Object.entries(graph.outputs)) {
    if (name in graph.inputs) throw new EngineError(`${name} names both an input and an output`);
    b.publish(t, name, taken);
  }
  const model = create(ModelProtoSchema, {
    irVersion: IR,
    producerName: 'roslin',
    opsetImport: [{ domain: '', version: OPSET }, { domain: MICROSOFT, version: 1n }],
    graph: {
      name: 'graph',
      node: target === 'cpu' ? [{ opType: 'SequenceEmpty', domain: '', input: [], output: [UNTAKEN], attribute: [] }, ...b.nodes] : b.nodes,
      initializer: b.initializers,
      input: Object.entries(graph.inputs).map(([name, t]) => valueInfo(name, t.shape, t.dtype)),
      output: [...(target === 'cpu' ? [untaken] : []), ...Object.entries(graph.outputs).map(([name, t]) => valueInfo(name, b.shapes.get(t) ?? t.shape, t.dtype))],
    },
  });
  return toBinary(ModelProtoSchema, model) as Uint8Array<ArrayBuffer>;
}
