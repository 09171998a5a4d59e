/** One tensor from a file to float32, through a scratch of a few megabytes. Assumes a little-endian machine, as the formats are. */
import { InputError } from '../errors.ts';
import { dequantise } from './dequantise.ts';
import { blockLayouts } from './ggml.ts';
import type { FileBytes } from './input-file.ts';
import type { TensorInfo } from './tensors.ts';

const pieceBytes = 2 ** 21;

/** Fills `out` with the tensor that starts at byte `position` of `file`. Throws RangeError where `out` has another length. */
export function readTensorFloat32(file: FileBytes, position: number, tensor: TensorInfo, out: Float32Array): void {
  const layout = blockLayouts[tensor.dtype];
  const blocks = tensor.byteLength / layout.bytes;
  if (out.length !== blocks * layout.values) {
    throw new RangeError(`tensor ${tensor.name} has ${blocks * layout.values} values, the given array ${out.length}`);
  }
  if (tensor.dtype === 'F32') {
    file.read(position, new Uint8Array(out.buffer, out.byteOffset, out.byteLength));
    return;
  }
  const piece = Math.min(blocks, Math.floor(pieceBytes / layout.bytes));
  const scratch = new Uint8Array(piece * layout.bytes);
  for (let block = 0; block < blocks; block += piece) {
    const count = Math.min(piece, blocks - block);
    const bytes = scratch.subarray(0, count * layout.bytes);
    file.read(position + block * layout.bytes, bytes);
    dequantise(tensor.dtype, bytes, out.subarray(block * layout.values, (block + count) * layout.values));
  }
}

/** The refusal for a name that the file does not hold. */
export function noSuchTensor(name: string, path: string, count: number): InputError {
  return new InputError({
    expected: `a tensor named ${JSON.stringify(name)}`,
    found: `${count} tensors, none of that name`,
    where: path,
    remedy: 'The weights do not belong to this architecture, or the file is incomplete.',
  });
}
