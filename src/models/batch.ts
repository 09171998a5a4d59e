/**
 * Sequences laid end to end: no padding. The last id of a sequence is only ever a target, so it is not a row. A row t
 * carries a label if the id after it is trained.
 */

export interface Sequence {
  readonly ids: Int32Array;
  /** 1 = this id is a target of the loss. */
  readonly trained: Uint8Array;
}

/** Rows [from, to) of one attention call, and its rows with a label [labelFrom, labelTo) among all of those. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly labelFrom: number;
  readonly labelTo: number;
}

export interface MicroBatch {
  /** [T] */
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly segments: Int32Array;
  /** [M]: rows with a label, their positions and segments, and the ids they are to predict */
  readonly labelRows: Int32Array;
  readonly labelPositions: Int32Array;
  readonly labelSegments: Int32Array;
  readonly targets: Int32Array;
  readonly spans: readonly Span[];
}

/** `spans`: 'each' attends sequence by sequence, 'all' in one masked call (for devices that cannot view a part of an array). */
export function layOut(sequences: readonly Sequence[], spans: 'each' | 'all' = 'each'): MicroBatch {
  const rows = sequences.reduce((n, s) => n + s.ids.length - 1, 0);
  const ids = new Int32Array(rows);
  const positions = new Int32Array(rows);
  const segments = new Int32Array(rows);
  const labelRows: number[] = [];
  const targets: number[] = [];
  const each: Span[] = [];
  let from = 0;
  sequences.forEach((s, segment) => {
    const labelFrom = labelRows.length;
    const length = s.ids.length - 1;
    for (let t = 0; t < length; t++) {
      ids[from + t] = s.ids[t]!;
      positions[from + t] = t;
      segments[from + t] = segment;
      if (s.trained[t + 1]) {
        labelRows.push(from + t);
        targets.push(s.ids[t + 1]!);
      }
    }
    each.push({ from, to: from + length, labelFrom, labelTo: labelRows.length });
    from += length;
  });
  const pick = (a: Int32Array) => Int32Array.from(labelRows, (row) => a[row]!);
  return {
    ids, positions, segments,
    labelRows: Int32Array.from(labelRows), labelPositions: pick(positions), labelSegments: pick(segments), targets: Int32Array.from(targets),
    spans: spans === 'each' ? each : [{ from: 0, to: rows, labelFrom: 0, labelTo: labelRows.length }],
  };
}
