import type { BookEngine } from './bookEngine';
import { LadderBook } from './ladderBook';
import type { LadderUpdate } from './ladderUpdate';

/** The engine that the live feed uses; plainEngine is its reference. */
export const fastEngine: BookEngine<LadderUpdate> = {
  create: (reply) => LadderBook.from(reply),
  retain: (update) => update.copy(),
  levelCount: ({ bidCount, askCount }) => bidCount + askCount,
};
