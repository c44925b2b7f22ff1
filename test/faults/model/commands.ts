import fc from 'fast-check';
import { fastCodec, plainCodec } from '../../../src/binance/wire/codec';
import { Random } from '../random';
import { must } from '../scenario';
import { type AnyBookClient, BookClient, type Variant } from './bookClient';
import { ModelMarket, type ModelEvent } from './market';
import { depthText, eventFrame, type ModelKind } from './wireText';

/** One thing that happens to a book client. Plain JSON, so that a sequence can be kept and run again. */
export type Command =
  /** The market moves by one event, which is then on its way. */
  | { readonly do: 'step' }
  /** The event at this place among those on their way arrives; not the first: out of order. */
  | { readonly do: 'deliver'; readonly nth: number }
  /** It is lost. */
  | { readonly do: 'drop'; readonly nth: number }
  /** The event that arrived this many events ago arrives again. */
  | { readonly do: 'repeat'; readonly back: number }
  /** The first two on their way become one. */
  | { readonly do: 'join' }
  /** The first on its way arrives cut short. */
  | { readonly do: 'cut'; readonly length: number }
  /** A reply is asked for where one is wanted; beside a live book, to refresh it. */
  | { readonly do: 'ask'; readonly limit: number }
  /** It arrives: the book of `back` events ago, `part` thirds into that event. */
  | { readonly do: 'reply'; readonly back: number; readonly part: number }
  /** The stream is lost, and what was on its way with it. */
  | { readonly do: 'close' }
  /** The exchange's update ids start over. */
  | { readonly do: 'startOver' };

export interface Sequence {
  readonly kind: ModelKind;
  readonly reader: 'plain' | 'fast';
  /** Of the market. */
  readonly seed: number;
  readonly commands: readonly Command[];
}

/** Steps in calm weather until the book has to be live, the feed's look at a book that nothing joins among them. */
const CALM_STEPS = 60;
const AUDIT_STEPS = 15;
/** How many live steps in a row count as back for good. */
const SETTLED_STEPS = 6;
const LIMITS = [8, 20, 100];

/** @throws Error where a book can be read that the market never had, or where it does not come back */
export function runSequence(sequence: Sequence, variant?: Variant): void {
  const { kind, reader, seed, commands } = sequence;
  const market = new ModelMarket(new Random(seed), kind === 'futures');
  const client =
    reader === 'plain'
      ? new BookClient(market, plainCodec, kind, variant)
      : new BookClient(market, fastCodec(), kind, variant);
  const course = new Course(market, client, kind);
  for (const command of commands) {
    course.follow(command);
    client.check();
  }
  course.calm();
}

class Course {
  private onTheWay: ModelEvent[] = [];
  private readonly arrived: ModelEvent[] = [];
  private asked: { readonly epoch: number; readonly limit: number } | null = null;

  constructor(
    private readonly market: ModelMarket,
    private readonly client: AnyBookClient,
    private readonly kind: ModelKind,
  ) {}

  follow(command: Command): void {
    const { market, client, onTheWay } = this;
    switch (command.do) {
      case 'step':
        return void onTheWay.push(market.step());
      case 'deliver':
        return this.arrive(this.taken(command.nth));
      case 'drop':
        return void this.taken(command.nth);
      case 'repeat':
        return this.show(this.arrived[this.arrived.length - 1 - command.back]);
      case 'join':
        if (onTheWay.length > 1 && onTheWay[1].previous === onTheWay[0].final)
          onTheWay.splice(0, 2, joined(onTheWay[0], onTheWay[1]));
        return;
      case 'cut': {
        const event = this.taken(0);
        if (event === undefined) return;
        const frame = eventFrame(event, this.kind, false);
        return client.frame(frame.subarray(0, command.length % frame.length));
      }
      case 'ask':
        return this.ask(command.limit);
      case 'reply':
        return this.answer(command.back, command.part);
      case 'close':
        this.onTheWay = [];
        return client.resync();
      case 'startOver':
        return market.startOver();
    }
  }

  /** Nothing goes wrong any more: the book has to be live and the market's newest. */
  calm(): void {
    const { client, market } = this;
    while (this.onTheWay.length > 0) this.arrive(this.taken(0));
    let [unjoined, settled] = [0, 0];
    for (let step = 0; step < CALM_STEPS && settled < SETTLED_STEPS; step++) {
      this.arrive(market.step());
      this.ask(100);
      if (step % 3 === 0) this.answer(0, 3);
      unjoined = client.waiting ? unjoined + 1 : 0;
      if (unjoined > AUDIT_STEPS) client.resync();
      client.check();
      settled = client.live && client.lastUpdateId === market.id ? settled + 1 : 0;
    }
    must(client.live, 'not live again after the last fault');
    must(client.lastUpdateId === market.id, () => `behind: ${client.lastUpdateId} and not ${market.id}`);
  }

  private taken(nth: number): ModelEvent | undefined {
    return this.onTheWay.splice(nth, 1)[0];
  }

  private arrive(event: ModelEvent | undefined): void {
    if (event !== undefined) this.arrived.push(event);
    this.show(event);
  }

  private show(event: ModelEvent | undefined): void {
    if (event !== undefined) this.client.frame(eventFrame(event, this.kind, event.final % 2 === 0));
  }

  private ask(limit: number): void {
    const { client } = this;
    if (this.asked !== null && this.asked.epoch !== client.epoch) this.asked = null;
    if (this.asked !== null) return;
    if (!client.wanted) client.refresh();
    this.asked = { epoch: client.epoch, limit };
  }

  private answer(back: number, part: number): void {
    const { asked, market, client } = this;
    if (asked === null) return;
    this.asked = null;
    const event = market.events[market.events.length - 1 - back];
    // Before the first event there is the book of the beginning.
    const id =
      event === undefined
        ? market.id
        : [event.first - 1, event.first, Math.floor((event.first + event.final) / 2), event.final][part];
    const [book] = market.booksAt(id);
    if (book === undefined) return;
    client.reply(depthText(id, book, asked.limit, market.timeMs, this.kind), asked.limit, asked.epoch);
    client.cancelRefresh();
  }
}

/** Two events in a row as one. */
function joined(first: ModelEvent, second: ModelEvent): ModelEvent {
  const newest = (a: ModelEvent['bids'], b: ModelEvent['bids']) => [...new Map([...a, ...b])];
  return {
    ...second,
    ...{ first: first.first, previous: first.previous },
    ...{ bids: newest(first.bids, second.bids), asks: newest(first.asks, second.asks) },
  };
}

const always = (command: Command): fc.Arbitrary<Command> => fc.constant(command);
const nth = fc.nat(3);

/** Half of what happens is ordinary, so that the rest meets books in every state. */
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 12, arbitrary: always({ do: 'step' }) },
  { weight: 10, arbitrary: always({ do: 'deliver', nth: 0 }) },
  { weight: 2, arbitrary: nth.map((n): Command => ({ do: 'deliver', nth: n })) },
  { weight: 2, arbitrary: nth.map((n): Command => ({ do: 'drop', nth: n })) },
  { weight: 2, arbitrary: fc.nat(6).map((back): Command => ({ do: 'repeat', back })) },
  { weight: 1, arbitrary: always({ do: 'join' }) },
  { weight: 1, arbitrary: fc.nat(200).map((length): Command => ({ do: 'cut', length })) },
  { weight: 4, arbitrary: fc.constantFrom(...LIMITS).map((limit): Command => ({ do: 'ask', limit })) },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.nat(6), fc.nat(3)).map(([back, part]): Command => ({ do: 'reply', back, part })),
  },
  { weight: 1, arbitrary: always({ do: 'close' }) },
  { weight: 1, arbitrary: always({ do: 'startOver' }) },
);

export const sequence: fc.Arbitrary<Sequence> = fc.record({
  kind: fc.constantFrom<ModelKind>('spot', 'futures'),
  reader: fc.constantFrom('plain' as const, 'fast' as const),
  seed: fc.nat(1_000),
  commands: fc.array(command, { minLength: 1, maxLength: 80 }),
});
