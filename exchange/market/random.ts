/** A small seeded generator (sfc32): the same seed gives the same market on every machine. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number | string) {
    let hash = 0x811c9dc5;
    for (const char of String(seed)) hash = Math.imul(hash ^ (char.codePointAt(0) as number), 0x01000193);
    this.a = hash | 0;
    this.b = Math.imul(hash, 0x9e3779b1) | 0;
    this.c = ~hash;
    for (let i = 0; i < 16; i++) this.bits();
  }

  /** 32 random bits, 0 … 2^32 − 1. */
  bits(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  /** 0 ≤ x < 1. */
  float(): number {
    return this.bits() / 4294967296;
  }

  /** A whole number, 0 … below − 1. */
  below(below: number): number {
    return Math.floor(this.float() * below);
  }

  /** Mean 0, variance 1. */
  normal(): number {
    return NORMALS[this.bits() & TABLE_MASK];
  }

  /** Mean 1. */
  exponential(): number {
    return EXPONENTIALS[this.bits() & TABLE_MASK];
  }
}

const TABLE_SIZE = 8192;
const TABLE_MASK = TABLE_SIZE - 1;

/** Quantiles in equal steps of probability: a look-up costs a tenth of a logarithm, and the market draws many. */
const EXPONENTIALS = Float64Array.from(
  { length: TABLE_SIZE },
  (_, i) => -Math.log(1 - (i + 0.5) / TABLE_SIZE),
);
const NORMALS = normalQuantiles();

function normalQuantiles(): Float64Array {
  const table = new Float64Array(TABLE_SIZE);
  for (let i = 0; i < TABLE_SIZE; i += 2) {
    // Box–Muller over a low-discrepancy pair covers the plane evenly, so the table's moments are close to exact.
    const radius = Math.sqrt(-2 * Math.log(1 - (i + 1) / (TABLE_SIZE + 1)));
    const angle = 2 * Math.PI * ((i * 0.6180339887498949) % 1);
    table[i] = radius * Math.cos(angle);
    table[i + 1] = radius * Math.sin(angle);
  }
  return table;
}
