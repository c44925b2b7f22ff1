import type { SamplePlace } from './appendRule';
import { readWords, type SampleWords, wordsText } from './encoding';
import { type HistorySample, PERCENT_DECIMALS, type SampleContent } from './sample';

/**
 * A symbol's history in this process: samples of a fixed number of bytes in blocks, so that memory grows with what is
 * kept and no sample is an object. Plain data and functions: an old and a new copy of this package share it.
 */
export interface Ring {
  /** Oldest first. */
  blocks: Block[];
  newest: SamplePlace | null;
}

interface Block {
  /** Of its first sample; the others count from them. */
  readonly baseMs: number;
  readonly baseId: number;
  readonly view: DataView;
  /** What is no number and mostly the same, by number. */
  readonly words: string[];
  count: number;
}

/** Samples of a block: the least that is freed at once. No more than a byte can count. */
export const BLOCK_SAMPLES = 256;
const SAMPLE_BYTES = 31;
export const BLOCK_BYTES = BLOCK_SAMPLES * SAMPLE_BYTES;
const MAX_OFFSET = 0xffff_fffe;
const NO_ID = 0xffff_ffff;

const PERCENT_UNITS = 10 ** PERCENT_DECIMALS;
/** In place of a percentage that is not known. */
const NO_PERCENT = -0x8000;

/** Where each field of a sample begins. */
const AT = { time: 0, id: 4, mid: 8, spread: 16, percent: 24, mean: 26, smoothed: 28, words: 30 } as const;

export function emptyRing(): Ring {
  return { blocks: [], newest: null };
}

/** Adds a sample that is later than all others, and leaves out what is older than `oldestMs` or more than `most`. */
export function addSample(
  ring: Ring,
  place: SamplePlace,
  sample: SampleContent,
  bounds: { readonly oldestMs: number; readonly most: number },
): void {
  const last = ring.blocks.at(-1);
  const block = last !== undefined && fits(last, place.timeMs, sample) ? last : newBlock(place, sample);
  if (block !== last) ring.blocks.push(block);
  write(block, place.timeMs, sample);
  block.count++;
  ring.newest = place;
  trim(ring, bounds.oldestMs, bounds.most);
}

/** Leaves out what is later than `timeMs`. */
export function dropAfter(ring: Ring, timeMs: number): void {
  for (let block = ring.blocks.at(-1); block !== undefined; block = ring.blocks.at(-1)) {
    while (block.count > 0 && timeOf(block, block.count - 1) > timeMs) block.count--;
    if (block.count > 0) break;
    ring.blocks.pop();
  }
  const last = ring.blocks.at(-1);
  const epoch = ring.newest?.epoch ?? 0;
  ring.newest = last === undefined ? null : { timeMs: timeOf(last, last.count - 1), epoch };
}

/** The newest samples from `fromMs` to `toMs`, both included, oldest first. */
export function samplesOf(ring: Ring, fromMs: number, toMs: number, limit: number): HistorySample[] {
  const found: HistorySample[] = [];
  for (let b = ring.blocks.length - 1; b >= 0; b--) {
    const block = ring.blocks[b];
    for (let i = block.count - 1; i >= 0; i--) {
      const timeMs = timeOf(block, i);
      if (timeMs > toMs) continue;
      if (timeMs < fromMs || found.length === limit) return found.reverse();
      found.push(read(block, i));
    }
  }
  return found.reverse();
}

/** Whole blocks: a sample that is too old is freed with its block. */
function trim(ring: Ring, oldestMs: number, most: number): void {
  let kept = ring.blocks.reduce((sum, { count }) => sum + count, 0);
  for (let [first] = ring.blocks; ring.blocks.length > 1; [first] = ring.blocks) {
    const last = timeOf(first, first.count - 1);
    if (last >= oldestMs && kept - first.count < most) return;
    kept -= first.count;
    ring.blocks.shift();
  }
}

function newBlock({ timeMs }: SamplePlace, { lastUpdateId }: SampleContent): Block {
  const view = new DataView(new ArrayBuffer(BLOCK_BYTES));
  return { baseMs: timeMs, baseId: lastUpdateId ?? 0, view, words: [], count: 0 };
}

/** Ids that started over, or a time long after, begin a block of their own. */
function fits({ count, baseMs, baseId }: Block, timeMs: number, { lastUpdateId }: SampleContent): boolean {
  const idOffset = lastUpdateId === null ? 0 : lastUpdateId - baseId;
  return count < BLOCK_SAMPLES && timeMs - baseMs <= MAX_OFFSET && idOffset >= 0 && idOffset <= MAX_OFFSET;
}

function timeOf(block: Block, index: number): number {
  return block.baseMs + block.view.getUint32(index * SAMPLE_BYTES + AT.time);
}

function write(block: Block, timeMs: number, sample: SampleContent): void {
  const { view } = block;
  const at = block.count * SAMPLE_BYTES;
  const { lastUpdateId } = sample;
  view.setUint32(at + AT.time, timeMs - block.baseMs);
  view.setUint32(at + AT.id, lastUpdateId === null ? NO_ID : lastUpdateId - block.baseId);
  view.setFloat64(at + AT.mid, sample.mid ?? NaN);
  view.setFloat64(at + AT.spread, sample.spread ?? NaN);
  view.setInt16(at + AT.percent, unitsOf(sample.imbalancePercent));
  view.setInt16(at + AT.mean, unitsOf(sample.meanImbalancePercent60s));
  view.setInt16(at + AT.smoothed, unitsOf(sample.smoothedPercent));
  view.setUint8(at + AT.words, numberOf(block, wordsText(sample)));
}

function read(block: Block, index: number): HistorySample {
  const { view } = block;
  const at = index * SAMPLE_BYTES;
  const id = view.getUint32(at + AT.id);
  return {
    timeMs: timeOf(block, index),
    lastUpdateId: id === NO_ID ? null : block.baseId + id,
    mid: numberOrNull(view.getFloat64(at + AT.mid)),
    spread: numberOrNull(view.getFloat64(at + AT.spread)),
    imbalancePercent: percentOf(view.getInt16(at + AT.percent)),
    meanImbalancePercent60s: percentOf(view.getInt16(at + AT.mean)),
    smoothedPercent: percentOf(view.getInt16(at + AT.smoothed)),
    // As it was written here.
    ...(readWords(block.words[view.getUint8(at + AT.words)].split(',')) as SampleWords),
  };
}

/** Of a block's words, as many as it has samples at most. */
function numberOf({ words }: Block, word: string): number {
  const known = words.indexOf(word);
  return known >= 0 ? known : words.push(word) - 1;
}

function unitsOf(percent: number | null): number {
  return percent === null ? NO_PERCENT : Math.round(percent * PERCENT_UNITS);
}

function percentOf(units: number): number | null {
  return units === NO_PERCENT ? null : units / PERCENT_UNITS;
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
