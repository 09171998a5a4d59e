/**
 * A machine for the part of Python's pickle that PyTorch writes for a dictionary of tensors. It makes data only: a name of
 * Python is a value of its own that stands for nothing, and what may be done with it is decided by a closed table of the
 * caller (PickleWorld). Opcodes that such files do not have are refused by name, whatever they would do. Loops only, no
 * recursion: values may be nested or circular as they like, nobody walks through them.
 * Semantics: Lib/pickle.py and Lib/pickletools.py of CPython, protocols 2 to 5.
 */
import { opcodeName } from './pickle-opcodes.ts';
import type { Refuse } from './refuse.ts';

/** A value that is no plain one. `described` says what it is, for messages. */
export abstract class PickleObject {
  abstract readonly described: string;
}

/** A name, e.g. torch.FloatStorage. Nothing is looked up by it. */
export class PickleGlobal extends PickleObject {
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
  get described(): string {
    return `the name ${this.name}`;
  }
}

export class PickleTuple extends PickleObject {
  readonly items: readonly PickleValue[];
  constructor(items: readonly PickleValue[]) {
    super();
    this.items = items;
  }
  get described(): string {
    return `a tuple of ${this.items.length}`;
  }
}

/** Entries as they came, keys and values in turn; equal keys are the reader's business. */
export class PickleDict extends PickleObject {
  readonly ordered: boolean;
  readonly items: PickleValue[] = [];
  constructor(ordered: boolean) {
    super();
    this.ordered = ordered;
  }
  get described(): string {
    return `a dictionary of ${this.items.length / 2}`;
  }
}

export type PickleValue = null | boolean | number | string | PickleObject;

/** Throws, with the place of the opcode; `remedy` where the usual one would not help. */
export type PickleFault = (expected: string, found: string, remedy?: string) => never;

/** What to do about a file that is more than data. */
export const notRun = 'Nothing of it was run. If you trust its origin, load it where PyTorch is and save its state dict as safetensors.';

/** What names mean and persistent ids lead to. Every method refuses by `fault` what it does not know. */
export interface PickleWorld {
  global(module: string, name: string, fault: PickleFault): PickleGlobal;
  persistent(id: PickleValue, fault: PickleFault): PickleObject;
  /** `called` came from `global`. */
  call(called: PickleGlobal, args: PickleTuple, fault: PickleFault): PickleObject;
  build(target: PickleValue, state: PickleValue, fault: PickleFault): void;
}

/** A model of 100,000 tensors stays below each of them. Together they bound the memory at some hundred megabytes. */
export const pickleLimits = { bytes: 2 ** 25, stack: 2 ** 16, memo: 2 ** 20, containers: 2 ** 20, text: 2 ** 16, name: 256 };

export function describeValue(value: PickleValue | undefined): string {
  if (value instanceof PickleObject) return value.described;
  return value === undefined ? 'nothing' : value === null ? 'None' : typeof value === 'string' && value.length > 60 ? `a text of ${value.length} characters` : JSON.stringify(value);
}

/** The one value that `bytes` make. Throws by `refuse`. */
export function readPickle(bytes: Buffer, world: PickleWorld, refuse: Refuse): PickleValue {
  return new Machine(bytes, world, refuse).run();
}

const emptyTuple = new PickleTuple([]);
const integerBytes = 8;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class Machine {
  readonly #bytes: Buffer;
  readonly #world: PickleWorld;
  readonly #refuse: Refuse;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack at each open MARK. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #containers = 0;
  #at = 0;
  #opcodeAt = 0;

  constructor(bytes: Buffer, world: PickleWorld, refuse: Refuse) {
    this.#bytes = bytes;
    this.#world = world;
    this.#refuse = refuse;
  }

  run(): PickleValue {
    if (this.#byte() !== 0x80) this.#fault('a pickle, which begins with its protocol', 'another byte');
    const protocol = this.#byte();
    if (protocol < 2 || protocol > 5) this.#fault('protocol 2 to 5', `protocol ${protocol}`);
    while (true) {
      this.#opcodeAt = this.#at;
      const code = this.#byte();
      if (code === 0x2e) return this.#stop();
      this.#step(code);
      if (this.#stack.length + this.#marks.length > pickleLimits.stack) this.#fault(`at most ${pickleLimits.stack} open values`, 'more');
    }
  }

  #step(code: number): void {
    const name = opcodeName(code);
    switch (name) {
      case 'FRAME': return this.#frame();
      case 'MARK': return void this.#marks.push(this.#stack.length);
      case 'NONE': return this.#push(null);
      case 'NEWTRUE': return this.#push(true);
      case 'NEWFALSE': return this.#push(false);
      case 'BININT1': return this.#push(this.#byte());
      case 'BININT2': return this.#push(this.#take(2).readUInt16LE());
      case 'BININT': return this.#push(this.#take(4).readInt32LE());
      case 'LONG1': return this.#push(this.#long());
      case 'SHORT_BINUNICODE': return this.#push(this.#text(1));
      case 'BINUNICODE': return this.#push(this.#text(4));
      case 'BINUNICODE8': return this.#push(this.#text(8));
      case 'EMPTY_TUPLE': return this.#push(emptyTuple);
      case 'TUPLE1': return this.#push(this.#count(new PickleTuple(this.#pops(1))));
      case 'TUPLE2': return this.#push(this.#count(new PickleTuple(this.#pops(2))));
      case 'TUPLE3': return this.#push(this.#count(new PickleTuple(this.#pops(3))));
      case 'TUPLE': return this.#push(this.#count(new PickleTuple(this.#popMark())));
      case 'EMPTY_DICT': return this.#push(this.#count(new PickleDict(false)));
      case 'SETITEM': return this.#set(this.#pops(2));
      case 'SETITEMS': return this.#set(this.#popMark());
      case 'BINGET': return this.#get(this.#byte());
      case 'LONG_BINGET': return this.#get(this.#take(4).readUInt32LE());
      case 'BINPUT': return this.#put(this.#byte());
      case 'LONG_BINPUT': return this.#put(this.#take(4).readUInt32LE());
      case 'MEMOIZE': return this.#put(this.#memo.size);
      case 'GLOBAL': return this.#global(this.#line(), this.#line());
      case 'STACK_GLOBAL': return this.#global(...(this.#pops(2) as [PickleValue, PickleValue]));
      case 'BINPERSID': return this.#push(this.#count(this.#world.persistent(this.#pop(), this.#fault)));
      case 'REDUCE': return this.#call(...(this.#pops(2) as [PickleValue, PickleValue]));
      case 'BUILD': return this.#build(this.#pop());
      case 'INST': return this.#fault('only what a dictionary of tensors needs', `the opcode INST for ${this.#line()}.${this.#line()}`, notRun);
      case undefined: return this.#fault('an opcode of pickle', `the byte ${code}`);
      default: return this.#fault('only what a dictionary of tensors needs', `the opcode ${name}`, notRun);
    }
  }

  readonly #fault: PickleFault = (expected, found, remedy) => this.#refuse(expected, found, `data.pkl byte ${this.#opcodeAt}`, remedy);

  #stop(): PickleValue {
    if (this.#stack.length !== 1 || this.#marks.length > 0) this.#fault('one value at the end', `${this.#stack.length} and ${this.#marks.length} open marks`);
    if (this.#at !== this.#bytes.length) this.#fault('the end of the pickle', `${this.#bytes.length - this.#at} bytes after it`);
    return this.#stack[0]!;
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) this.#fault(`${length} bytes more`, `the end of the pickle after ${this.#bytes.length - this.#at}`);
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  #byte(): number {
    return this.#take(1)[0]!;
  }

  /** A hint about buffering, which must be true and changes nothing. */
  #frame(): void {
    const length = this.#size(8);
    if (length > this.#bytes.length - this.#at) this.#fault(`a frame of at most ${this.#bytes.length - this.#at} bytes`, `one of ${length}`);
  }

  /** Little-endian, of 1, 4 or 8 bytes; infinite where it is more than a double can hold. */
  #size(width: number): number {
    const bytes = this.#take(width);
    if (width < 8) return bytes.readUIntLE(0, width);
    const value = bytes.readBigUInt64LE();
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(value);
  }

  #text(width: number): string {
    const length = this.#size(width);
    if (length > pickleLimits.text) this.#fault(`a text of at most ${pickleLimits.text} bytes`, `one of ${length}`);
    return this.#decode(this.#take(length));
  }

  #decode(bytes: Buffer): string {
    try {
      return utf8.decode(bytes);
    } catch {
      return this.#fault('text in UTF-8', 'other bytes');
    }
  }

  /** Text up to a line break. */
  #line(): string {
    const end = this.#bytes.subarray(this.#at, this.#at + pickleLimits.name).indexOf(10);
    if (end < 0) this.#fault(`a name of at most ${pickleLimits.name} bytes`, 'a longer one, or the end of the pickle');
    const line = this.#decode(this.#take(end));
    this.#at++;
    return line;
  }

  /** Two's complement; zero has no bytes. */
  #long(): number {
    const length = this.#byte();
    if (length > integerBytes) this.#fault(`a whole number of at most ${integerBytes} bytes`, `one of ${length}`);
    let value = 0n;
    for (const [i, byte] of this.#take(length).entries()) value |= BigInt(byte) << BigInt(8 * i);
    const signed = BigInt.asIntN(8 * length, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : this.#fault('a whole number below 2^53', `${signed}`);
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #count<T extends PickleObject>(made: T): T {
    if (++this.#containers > pickleLimits.containers) this.#fault(`at most ${pickleLimits.containers} tuples, dictionaries and tensors`, 'more');
    return made;
  }

  #pops(count: number): PickleValue[] {
    const floor = this.#marks.at(-1) ?? 0;
    if (this.#stack.length - count < floor) this.#fault(`${count} values on the stack`, `${this.#stack.length - floor}`);
    return this.#stack.splice(this.#stack.length - count, count);
  }

  #pop(): PickleValue {
    return this.#pops(1)[0]!;
  }

  #popMark(): PickleValue[] {
    const mark = this.#marks.pop();
    return mark === undefined ? this.#fault('a MARK before', 'none') : this.#stack.splice(mark);
  }

  /** The value on top, which stays there. */
  #top(): PickleValue {
    const [top] = this.#pops(1) as [PickleValue];
    this.#push(top);
    return top;
  }

  #set(items: readonly PickleValue[]): void {
    const target = this.#top();
    if (!(target instanceof PickleDict)) return this.#fault('a dictionary to set entries of', describeValue(target));
    if (items.length % 2 !== 0) this.#fault('keys and values', `${items.length} of them`);
    for (const item of items) target.items.push(item);
  }

  #get(index: number): void {
    const value = this.#memo.get(index);
    this.#push(value === undefined ? this.#fault(`something remembered as ${index}`, 'nothing') : value);
  }

  #put(index: number): void {
    this.#memo.set(index, this.#top());
    if (this.#memo.size > pickleLimits.memo) this.#fault(`at most ${pickleLimits.memo} values remembered`, 'more');
  }

  #global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      return this.#fault('two texts as the name of a global', `${describeValue(module)} and ${describeValue(name)}`);
    }
    this.#push(this.#world.global(module, name, this.#fault));
  }

  #call(called: PickleValue, args: PickleValue): void {
    if (!(called instanceof PickleGlobal)) return this.#fault('the name of what to call', describeValue(called));
    if (!(args instanceof PickleTuple)) return this.#fault(`a tuple of arguments for ${called.name}`, describeValue(args));
    this.#push(this.#count(this.#world.call(called, args, this.#fault)));
  }

  #build(state: PickleValue): void {
    this.#world.build(this.#top(), state, this.#fault);
  }
}
