/**
 * Tries out the engine's runtime for `doctor`, in a process of its own (a driver that crashes must not take the command
 * with it): one product of two matrices on the device named by the first argument; the result is sent to the parent.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, TensorProto_DataType } from '../engine/onnx/onnx_pb.js';
import { loadOrt } from '../engine/runtime/ort.ts';

export interface ProbeResult {
  readonly ok: boolean;
  /** Multiply-adds a second, each counted as two operations, in thousands of millions. */
  readonly gflops?: number;
  readonly error?: string;
}

const SIZE = 1024;
const RUNS = 5;

/** Y = A B for square matrices. */
function productModel(): Uint8Array {
  const matrix = (name: string) => ({
    name,
    type: {
      value: {
        case: 'tensorType' as const,
        value: {
          elemType: TensorProto_DataType.FLOAT,
          shape: { dim: [SIZE, SIZE].map((n) => ({ value: { case: 'dimValue' as const, value: BigInt(n) } })) },
        },
      },
    },
  });
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 17n }],
      graph: { name: 'probe', node: [{ opType: 'MatMul', input: ['A', 'B'], output: ['Y'] }], input: [matrix('A'), matrix('B')], output: [matrix('Y')] },
    }),
  );
}

async function probe(device: string): Promise<ProbeResult> {
  const ort = loadOrt();
  const session = await ort.InferenceSession.create(productModel(), { executionProviders: [device], logSeverityLevel: 4 });
  const ones = new ort.Tensor('float32', new Float32Array(SIZE * SIZE).fill(1), [SIZE, SIZE]);
  const twos = new ort.Tensor('float32', new Float32Array(SIZE * SIZE).fill(2), [SIZE, SIZE]);
  let best = Infinity;
  for (let i = 0; i < RUNS; i++) {
    const begun = performance.now();
    const { Y } = await session.run({ A: ones, B: twos });
    best = Math.min(best, performance.now() - begun);
    const values = Y?.data as Float32Array;
    if (values.some((v) => v !== 2 * SIZE)) return { ok: false, error: `a product of matrices came out as ${values[0]} instead of ${2 * SIZE}` };
  }
  return { ok: true, gflops: (2 * SIZE ** 3) / best / 1e6 };
}

process.once('message', (device: string) => {
  void probe(device)
    .catch((error: unknown): ProbeResult => ({ ok: false, error: error instanceof Error ? error.message : String(error) }))
    .then((result) => process.send?.(result, () => process.exit(0)));
});
