/**
 * The opcodes of Python's pickle, protocols 0 to 5, by name. All of them, so that a refusal can name what it met; which ones
 * are carried out is in pickle.ts. Source: Lib/pickle.py of CPython 3.13.
 */
const ascii: Readonly<Record<string, string>> = {
  '(': 'MARK', '.': 'STOP', '0': 'POP', '1': 'POP_MARK', '2': 'DUP', F: 'FLOAT', I: 'INT', J: 'BININT', K: 'BININT1', L: 'LONG', M: 'BININT2',
  N: 'NONE', P: 'PERSID', Q: 'BINPERSID', R: 'REDUCE', S: 'STRING', T: 'BINSTRING', U: 'SHORT_BINSTRING', V: 'UNICODE', X: 'BINUNICODE',
  a: 'APPEND', b: 'BUILD', c: 'GLOBAL', d: 'DICT', '}': 'EMPTY_DICT', e: 'APPENDS', g: 'GET', h: 'BINGET', i: 'INST', j: 'LONG_BINGET',
  l: 'LIST', ']': 'EMPTY_LIST', o: 'OBJ', p: 'PUT', q: 'BINPUT', r: 'LONG_BINPUT', s: 'SETITEM', t: 'TUPLE', ')': 'EMPTY_TUPLE',
  u: 'SETITEMS', G: 'BINFLOAT', B: 'BINBYTES', C: 'SHORT_BINBYTES',
};

/** From 0x80 on, one after the other. */
const high = [
  'PROTO', 'NEWOBJ', 'EXT1', 'EXT2', 'EXT4', 'TUPLE1', 'TUPLE2', 'TUPLE3', 'NEWTRUE', 'NEWFALSE', 'LONG1', 'LONG4',
  'SHORT_BINUNICODE', 'BINUNICODE8', 'BINBYTES8', 'EMPTY_SET', 'ADDITEMS', 'FROZENSET', 'NEWOBJ_EX', 'STACK_GLOBAL', 'MEMOIZE',
  'FRAME', 'BYTEARRAY8', 'NEXT_BUFFER', 'READONLY_BUFFER',
];

/** Undefined for a byte that is no opcode. */
export function opcodeName(code: number): string | undefined {
  return code < 0x80 ? ascii[String.fromCharCode(code)] : high[code - 0x80];
}
