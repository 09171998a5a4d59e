/**
 * The world of a PyTorch state dict: which names its pickle may use, what they make, and the tensors that come out, each as
 * a range of the archive's bytes. The names are a closed table of data; none of them is ever looked up or run.
 * What they mean: torch/_utils.py (_rebuild_tensor_v2, _rebuild_parameter) and torch/serialization.py (persistent ids).
 */
import { describeValue, notRun, PickleDict, PickleGlobal, PickleObject, PickleTuple, type PickleFault, type PickleValue, type PickleWorld } from './pickle.ts';
import type { Refuse } from './refuse.ts';
import { elementCount, type StoredTensor } from './tensors.ts';

/** Name of a storage's class -> safetensors' name of its type, and the bytes of a value. */
const storageTypes: ReadonlyMap<string, readonly [dtype: string, bytes: number]> = new Map([
  ['torch.FloatStorage', ['F32', 4]],
  ['torch.HalfStorage', ['F16', 2]],
  ['torch.BFloat16Storage', ['BF16', 2]],
  ['torch.DoubleStorage', ['F64', 8]],
  ['torch.LongStorage', ['I64', 8]],
  ['torch.IntStorage', ['I32', 4]],
  ['torch.ShortStorage', ['I16', 2]],
  ['torch.CharStorage', ['I8', 1]],
  ['torch.ByteStorage', ['U8', 1]],
  ['torch.BoolStorage', ['BOOL', 1]],
]);

const orderedDict = 'collections.OrderedDict';
const rebuildTensor = 'torch._utils._rebuild_tensor_v2';
const rebuildParameter = 'torch._utils._rebuild_parameter';
const known = new Map([orderedDict, rebuildTensor, rebuildParameter, ...storageTypes.keys()].map((name) => [name, new PickleGlobal(name)]));

/** As many as PyTorch allows. */
const maxDimensions = 64;

/** The bytes that one or several tensors are views of. */
class Storage extends PickleObject {
  readonly dtype: string;
  readonly valueBytes: number;
  /** Values that it has. */
  readonly count: number;
  /** Byte of the file. */
  readonly offset: number;
  constructor(dtype: string, valueBytes: number, count: number, offset: number) {
    super();
    this.dtype = dtype;
    this.valueBytes = valueBytes;
    this.count = count;
    this.offset = offset;
  }
  get described(): string {
    return `a storage of ${this.count} ${this.dtype}`;
  }
}

class Tensor extends PickleObject {
  readonly storage: Storage;
  /** In values, as are the strides. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    super();
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
  get described(): string {
    return `a tensor [${this.shape.join(', ')}]`;
  }
}

/** `record` finds the bytes of a storage by its key. */
export class StateDictWorld implements PickleWorld {
  readonly #record: (key: string) => { readonly offset: number; readonly size: number } | undefined;
  readonly #storages = new Map<string, Storage>();

  constructor(record: (key: string) => { readonly offset: number; readonly size: number } | undefined) {
    this.#record = record;
  }

  global(module: string, name: string, fault: PickleFault): PickleGlobal {
    return known.get(`${module}.${name}`) ?? fault('only names that a dictionary of tensors needs', `${module}.${name}, by which Python would run code`, notRun);
  }

  /** ('storage', class, key, device, number of values): what torch.save writes and nothing else. */
  persistent(id: PickleValue, fault: PickleFault): Storage {
    const expected = 'the id of a storage: "storage", its class, key, device and length';
    if (!(id instanceof PickleTuple) || id.items.length !== 5) return fault(expected, describeValue(id));
    const [tag, type, key, device, count] = id.items;
    const stored = type instanceof PickleGlobal ? storageTypes.get(type.name) : undefined;
    if (tag !== 'storage' || !stored || typeof key !== 'string' || typeof device !== 'string' || !isSize(count)) {
      return fault(expected, `(${id.items.map(describeValue).join(', ')})`);
    }
    const [dtype, valueBytes] = stored;
    const seen = this.#storages.get(key);
    if (seen) return seen.dtype === dtype && seen.count === count ? seen : fault(`storage ${JSON.stringify(key)} as before, ${seen.described}`, `${count} ${dtype}`);
    const record = this.#record(key);
    if (!record) return fault(`an entry data/${key} in the archive`, 'none');
    const room = Math.floor(record.size / valueBytes);
    if (room !== count) return fault(`${room} values of ${dtype} in the ${record.size} bytes of data/${key}`, `${count}`);
    const storage = new Storage(dtype, valueBytes, count, record.offset);
    this.#storages.set(key, storage);
    return storage;
  }

  call(called: PickleGlobal, { items }: PickleTuple, fault: PickleFault): PickleObject {
    if (called.name === orderedDict) return items.length === 0 ? new PickleDict(true) : fault(`${orderedDict} without arguments`, `${items.length} of them`);
    if (called.name === rebuildTensor) return tensorOf(items, fault);
    if (called.name === rebuildParameter) {
      const [tensor, requiresGrad, hooks] = items;
      if (items.length !== 3 || !(tensor instanceof Tensor) || typeof requiresGrad !== 'boolean' || !isEmptyDict(hooks)) {
        return fault(`a tensor, a flag and no hooks for ${rebuildParameter}`, `(${items.map(describeValue).join(', ')})`);
      }
      return tensor;
    }
    return fault('only calls that rebuild tensors', `a call of ${called.name}`, notRun);
  }

  /** The versions of modules, which a state dict carries as an attribute and which do not matter here. */
  build(target: PickleValue, state: PickleValue, fault: PickleFault): void {
    const isOrdered = target instanceof PickleDict && target.ordered;
    if (!isOrdered) return fault(`attributes of an ${orderedDict} alone`, `attributes of ${describeValue(target)}`);
    if (!(state instanceof PickleDict) || state.items.length !== 2 || state.items[0] !== '_metadata') {
      const what = state instanceof PickleDict && typeof state.items[0] === 'string' ? `also ${describeValue(state.items.find((v, i) => i % 2 === 0 && v !== '_metadata') ?? '_metadata')}` : describeValue(state);
      return fault('_metadata as the one attribute of a state dict', what);
    }
  }
}

const isSize = (value: PickleValue | undefined): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const isEmptyDict = (value: PickleValue | undefined): boolean => value === null || (value instanceof PickleDict && value.items.length === 0);

function sizesOf(value: PickleValue | undefined, what: string, fault: PickleFault): readonly number[] {
  if (!(value instanceof PickleTuple)) return fault(`a tuple as ${what}`, describeValue(value));
  if (value.items.length > maxDimensions) return fault(`at most ${maxDimensions} dimensions`, `${value.items.length}`);
  if (!value.items.every(isSize)) return fault(`whole numbers from 0 on as ${what}`, `(${value.items.map(describeValue).join(', ')})`);
  return value.items;
}

function tensorOf(items: readonly PickleValue[], fault: PickleFault): Tensor {
  const [storage, offset, size, stride, requiresGrad, hooks, metadata] = items;
  if (items.length !== 6 && items.length !== 7) return fault(`6 or 7 arguments for ${rebuildTensor}`, `${items.length}`);
  if (!(storage instanceof Storage)) return fault('a storage to rebuild a tensor from', describeValue(storage));
  if (!isSize(offset)) return fault('an offset into the storage', describeValue(offset));
  const shape = sizesOf(size, 'shape', fault);
  const strides = sizesOf(stride, 'strides', fault);
  if (shape.length !== strides.length) return fault(`${shape.length} strides for shape [${shape.join(', ')}]`, `${strides.length}`);
  if (typeof requiresGrad !== 'boolean' || !isEmptyDict(hooks)) return fault('a flag and no hooks', `${describeValue(requiresGrad)} and ${describeValue(hooks)}`);
  // A bit for "take the negative" or "take the conjugate" may be in it, which would change every value.
  if (metadata !== undefined && metadata !== null) return fault('a tensor without metadata of its own', describeValue(metadata));
  const count = elementCount(shape);
  if (count === undefined || count > storage.count) {
    return fault(`a shape of at most ${storage.count} values, as the storage has`, `[${shape.join(', ')}]`);
  }
  const last = count === 0 ? offset - 1 : shape.reduce((sum, n, i) => sum + (n - 1) * strides[i]!, offset);
  // Doubles round beyond 2^53 but never back below the bound.
  if (last >= storage.count) return fault(`values within the storage's ${storage.count}`, `an end at ${last + 1} (offset ${offset}, strides [${strides.join(', ')}])`);
  return new Tensor(storage, offset, shape, strides);
}

/** Row-major, one value after the other; the stride of a dimension of one has no meaning. */
function isContiguous({ shape, strides }: Tensor): boolean {
  if (shape.includes(0)) return true;
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) return false;
    step *= shape[i]!;
  }
  return true;
}

/** The tensors of a state dict by their names. Throws by `refuse` where it is something else. */
export function stateDictEntries(value: PickleValue, refuse: Refuse): StoredTensor[] {
  const remedy = 'Save the state dict of the model alone (`model.state_dict()`), best as safetensors.';
  if (!(value instanceof PickleDict)) return refuse('a dictionary of tensors', describeValue(value), 'data.pkl', remedy);
  const seen = new Set<string>();
  const entries: StoredTensor[] = [];
  for (let i = 0; i < value.items.length; i += 2) {
    const [name, tensor] = [value.items[i], value.items[i + 1]];
    if (typeof name !== 'string') return refuse('texts as names of tensors', describeValue(name), 'data.pkl', remedy);
    const part = `tensor ${JSON.stringify(name)}`;
    if (seen.has(name)) refuse('every name once', 'it twice', part);
    seen.add(name);
    if (!(tensor instanceof Tensor)) return refuse('a tensor under every name', describeValue(tensor), part, remedy);
    const { dtype, valueBytes, offset } = tensor.storage;
    entries.push({
      name, dtype, shape: tensor.shape, offset: offset + tensor.offset * valueBytes, byteLength: elementCount(tensor.shape)! * valueBytes,
      ...(isContiguous(tensor) ? {} : { strides: tensor.strides }),
    });
  }
  return entries;
}
