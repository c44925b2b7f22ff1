import { OrderFlowError, toOrderFlowError } from '../../runtime/errors';
import { monotonicMs } from '../../runtime/time';

/** Longest wait for one of several servers that are asked the same, milliseconds: the others know as much. */
export const WORD_TIMEOUT_MS = 2_000;
/** How long one that came back may not know of a failover that it missed, milliseconds. */
const OUTDATED_FOR_MS = 30_000;

/** What one of several servers says; a greater epoch knows of a later failover. */
export interface Word<T> {
  readonly value: T;
  readonly epoch: number;
}

/**
 * The word after the latest failover, of a majority, or of all that answer within 2 seconds.
 * @throws OrderFlowError of one that could not be asked, where none answers
 */
export function newestWord<T>(asked: ReadonlyArray<Promise<Word<T>>>): Promise<Word<T>> {
  return new Promise((resolve, reject) => {
    const words: Array<Word<T>> = [];
    const failures: OrderFlowError[] = [];
    const settle = () => {
      if (words.length <= asked.length / 2 && words.length + failures.length < asked.length) return;
      if (words.length === 0) return reject(mostTelling(failures));
      resolve(words.reduce((best, word) => (word.epoch > best.epoch ? word : best)));
    };
    for (const one of asked) {
      inTime(one)
        .then(
          (word) => void words.push(word),
          (error: unknown) => void failures.push(toOrderFlowError(error)),
        )
        .then(settle, reject);
    }
  });
}

/** The greatest epoch that was seen lately, so that nobody goes back to before a failover. */
export class LatestEpoch {
  private epoch = -1;
  private seenAt = 0;

  /** False for a word from before a failover. Servers that were set up again count from 0, so that ends after a while. */
  accepts(epoch: number): boolean {
    const now = monotonicMs();
    if (epoch < this.epoch && now - this.seenAt < OUTDATED_FOR_MS) return false;
    this.epoch = epoch;
    this.seenAt = now;
    return true;
  }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new OrderFlowError('OF_REDIS_TIMEOUT', 'a server was asked in vain'));
    timer = setTimeout(fail, WORD_TIMEOUT_MS);
    timer.unref();
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** A wrong name or password has to be corrected; that a server is down may have any reason. */
function mostTelling(failures: readonly OrderFlowError[]): OrderFlowError {
  return failures.find(({ retryable }) => !retryable) ?? failures[0];
}
