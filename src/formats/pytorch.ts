/**
 * Reads weights as PyTorch's torch.save writes them: `pytorch_model.bin`, or shards with `pytorch_model.bin.index.json`. The
 * file is a zip archive (zip.ts) with a pickle that describes the tensors (pickle.ts, pytorch-state.ts) and an entry for each
 * storage. Data only: nothing in it is executed. What torch.save wrote before 1.6, and TorchScript, are refused by name.
 * Format: torch/serialization.py (_save) and caffe2/serialize/inline_container.h of PyTorch 2.x. Why: docs/decisions/0007.
 */
import type { FileBytes } from './input-file.ts';
import { pickleLimits, readPickle } from './pickle.ts';
import { StateDictWorld, stateDictEntries } from './pytorch-state.ts';
import { refuseLfsPointer, refuserFor, type Refuse } from './refuse.ts';
import { openWeights, type WeightsFormat, type WeightsReader } from './shards.ts';
import type { Contents } from './tensors.ts';
import { readZip, type ZipEntry } from './zip.ts';

export const pytorchFormat: WeightsFormat = {
  kind: 'a PyTorch file (.bin)',
  singleName: 'pytorch_model.bin',
  indexName: 'pytorch_model.bin.index.json',
  extension: '.bin',
  readContents: readPytorchContents,
};

/**
 * @param path a .bin file, an index file, or a folder with either
 * Throws InputError where a file is anything but a plain dictionary of tensors, or does not add up.
 */
export const openPytorch = (path: string): WeightsReader => openWeights(path, pytorchFormat);

const damaged = 'The file is damaged, or no dictionary of tensors as torch.save writes it: get it again, or its safetensors version.';
const saveAgain = 'Load it where PyTorch is, if you trust its origin, and save it again as safetensors.';
const newestVersion = 10;

export function readPytorchContents(file: FileBytes): Contents {
  const refuse = refuserFor(file.path, damaged);
  refuseOtherFormats(file, refuse);
  const { pickle, entries } = archiveOf(file, refuse);
  const bytes = Buffer.alloc(pickle.size);
  file.read(pickle.offset, bytes);
  const world = new StateDictWorld((key) => entries.get(`data/${key}`));
  return { metadata: {}, entries: stateDictEntries(readPickle(bytes, world, refuse), refuse) };
}

/** Files that are weights or look like them, and no zip archive. */
function refuseOtherFormats(file: FileBytes, refuse: Refuse): void {
  const start = Buffer.alloc(Math.min(262, file.size));
  file.read(0, start);
  refuseLfsPointer(file.path, start);
  const expected = 'a zip archive as torch.save writes it since PyTorch 1.6';
  const magic = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex'); // LONG1 of torch's old magic number, after two bytes of protocol
  if (start[0] === 0x80 && start.subarray(2, 2 + magic.length).equals(magic)) refuse(expected, 'the format of older versions of PyTorch', '', saveAgain);
  if (start.toString('latin1', 257, 262) === 'ustar') refuse(expected, 'a tar archive, the format of PyTorch before 0.2', '', saveAgain);
  if (start[0] === 0x80) refuse(expected, 'a bare pickle', '', saveAgain);
  if (start.toString('latin1', 0, 4) !== 'PK\u0003\u0004') refuse(expected, 'another beginning');
}

/** The entries by their names below the archive's one folder. */
function archiveOf(file: FileBytes, refuse: Refuse): { pickle: ZipEntry; entries: ReadonlyMap<string, ZipEntry> } {
  const all = readZip(file, refuse, (name) => {
    if (/^[^/]*\/(code\/|constants\.pkl$)/.test(name)) refuse('a dictionary of tensors', `a TorchScript program (${name})`, '', saveAgain);
  });
  const folder = `${all[0]?.name.split('/')[0] ?? ''}/`;
  const stray = all.find(({ name }) => !name.startsWith(folder));
  if (stray) refuse(`all entries below ${folder}`, JSON.stringify(stray.name));
  const entries = new Map(all.map((entry) => [entry.name.slice(folder.length), entry]));
  const text = (name: string): string | undefined => shortText(file, entries.get(name), name, refuse);
  const order = text('byteorder') ?? 'little';
  if (order !== 'little') refuse('little-endian values', `byteorder ${JSON.stringify(order)}`, '', saveAgain);
  const version = text('version')?.trim();
  if (version === undefined || !/^\d{1,4}$/.test(version) || Number(version) > newestVersion) {
    refuse(`an entry "version" of at most ${newestVersion}`, version === undefined ? 'none' : JSON.stringify(version));
  }
  const pickle = entries.get('data.pkl');
  if (!pickle) return refuse('an entry data.pkl', `none among ${all.length} entries`);
  if (pickle.size > pickleLimits.bytes) refuse(`a data.pkl of at most ${pickleLimits.bytes} bytes`, `${pickle.size}`);
  return { pickle, entries };
}

function shortText(file: FileBytes, entry: ZipEntry | undefined, name: string, refuse: Refuse): string | undefined {
  if (!entry) return undefined;
  if (entry.size > 16) refuse(`a short text in ${name}`, `${entry.size} bytes`);
  const bytes = Buffer.alloc(entry.size);
  file.read(entry.offset, bytes);
  return bytes.toString('latin1');
}
