import { fastCodec, plainCodec } from '../../../src/binance/wire/codec';
import { Random } from '../random';
import { must, type RunResult } from '../scenario';
import { type AnyBookClient, BookClient, type Variant } from './bookClient';
import { ModelMarket, type ModelEvent } from './market';
import { depthText, eventFrame, type ModelKind } from './wireText';

/** A frame that no exchange should send. */
export interface HostileFrame {
  readonly bytes: Buffer;
  /** It has to be refused with a coded error. Without: it is none of the book's business and must leave all as it is. */
  readonly refused: boolean;
}

/** How likely each fault is in a step; 0 where not named. */
export interface Weather {
  readonly drop?: number;
  readonly swap?: number;
  readonly duplicate?: number;
  /** An event that reaches back over the one before. */
  readonly overlap?: number;
  readonly merge?: number;
  readonly brokenPrevious?: number;
  readonly hostile?: (random: Random, frame: Buffer) => HostileFrame;
  readonly hostileChance?: number;
  /** Chance that a reply is older than the buffer reaches. */
  readonly staleReply?: number;
  /** Chance that a reply was taken in the middle of an event. */
  readonly straddle?: number;
  readonly startOver?: number;
  readonly streamLost?: number;
  readonly refresh?: number;
}

export interface Play {
  readonly kind: ModelKind;
  readonly weather: Weather;
  readonly steps: number;
  readonly variant?: Variant;
}

const STEP_MS = 100;
/** Steps after the last fault within which the book has to be live again. */
const CALM_STEPS = 60;
/** An open question: a reply on its way. */
interface Asked {
  readonly epoch: number;
  readonly dueAt: number;
  readonly limit: number;
}

/** Steps without a joined stream after which the feed's audit would give the stretch up. */
const AUDIT_STEPS = 15;

/** The same play with both forms of the reader and the book. */
export async function playBoth(seed: number, play: Play): Promise<RunResult> {
  const plain = new Player(
    seed,
    play,
    (market) => new BookClient(market, plainCodec, play.kind, play.variant),
  );
  const fast = new Player(
    seed,
    play,
    (market) => new BookClient(market, fastCodec(), play.kind, play.variant),
  );
  const recovered = [...plain.run(), ...fast.run()];
  return { recoverMs: recovered.length === 0 ? null : Math.max(...recovered) };
}

class Player {
  private readonly random: Random;
  private readonly market: ModelMarket;
  private readonly client: AnyBookClient;
  private readonly sent: ModelEvent[] = [];
  private readonly recovered: number[] = [];
  private asked: Asked | null = null;
  private held: ModelEvent | null = null;
  private brokenAt: number | null = null;
  private unjoinedFor = 0;
  private resyncsSeen = 0;

  constructor(
    seed: number,
    private readonly play: Play,
    client: (market: ModelMarket) => AnyBookClient,
  ) {
    this.random = new Random(seed);
    this.market = new ModelMarket(this.random, play.kind === 'futures');
    this.client = client(this.market);
  }

  /** @returns the market milliseconds that each recovery took */
  run(): number[] {
    for (let step = 0; step < this.play.steps; step++) this.step(step, this.play.weather);
    if (this.held !== null) this.deliver(this.held);
    this.held = null;
    const end = this.play.steps + CALM_STEPS;
    for (let step = this.play.steps; step < end; step++) this.step(step, {});
    must(this.client.live, 'not live again after the last fault');
    must(this.client.lastUpdateId === this.market.id, () => `behind: ${this.client.lastUpdateId}`);
    return this.recovered;
  }

  private step(step: number, weather: Weather): void {
    const { random, client } = this;
    const on = (chance = 0): boolean => chance > 0 && random.chance(chance);
    if (on(weather.startOver)) this.market.startOver();
    if (on(weather.streamLost)) client.resync();
    this.answer(step, weather);
    this.send(this.market.step(), weather);
    this.ask(step, weather);
    this.measure(step);
  }

  private send(event: ModelEvent, weather: Weather): void {
    const { random } = this;
    const on = (chance = 0): boolean => chance > 0 && random.chance(chance);
    const held = this.held;
    this.held = null;
    if (on(weather.drop)) return;
    if (held === null && on(weather.swap)) return void (this.held = event);
    const before = this.sent[this.sent.length - 1];
    // An event names every change between its ids: only neighbours can be joined.
    if (on(weather.overlap) && before?.final === event.previous) this.deliver(joined(before, event));
    else if (on(weather.brokenPrevious))
      this.deliver({ ...event, previous: random.pick([-1, 0, event.previous + 1, event.first]) });
    else if (on(weather.merge)) this.deliver(joined(event, this.market.step()));
    else this.deliver(event, weather);
    if (on(weather.duplicate)) this.deliver(random.pick(this.sent.slice(-6)));
    if (held !== null) this.deliver(held);
  }

  private deliver(event: ModelEvent, weather: Weather = {}): void {
    const { random } = this;
    const frame = eventFrame(event, this.play.kind, random.chance(0.5));
    if (weather.hostile && random.chance(weather.hostileChance ?? 0)) {
      // In place of the event, or beside it.
      this.showHostile(weather.hostile(random, frame));
      if (random.chance(0.5)) return;
    }
    this.client.frame(frame);
    this.sent.push(event);
  }

  private showHostile({ bytes, refused }: HostileFrame): void {
    const { client } = this;
    const before = { refused: client.refused, epoch: client.epoch, id: client.lastUpdateId };
    client.frame(bytes);
    const text = (): string => JSON.stringify(bytes.toString('latin1').slice(0, 300));
    if (refused) return must(client.refused === before.refused + 1, () => `not refused: ${text()}`);
    const same =
      client.refused === before.refused && client.epoch === before.epoch && client.lastUpdateId === before.id;
    must(same, () => `not left alone: ${text()}`);
  }

  private ask(step: number, weather: Weather): void {
    const { random, client } = this;
    const refresh = (weather.refresh ?? 0) > 0 && random.chance(weather.refresh ?? 0);
    if (this.asked !== null && this.asked.epoch !== client.epoch) this.asked = null;
    if (this.asked !== null || (!client.wanted && !refresh)) return;
    if (!client.wanted) client.refresh();
    const limit = random.pick([8, 20, 100]);
    this.asked = { epoch: client.epoch, dueAt: step + random.whole(1, 5), limit };
  }

  private answer(step: number, weather: Weather): void {
    const { asked, random, market, client } = this;
    if (asked === null || step < asked.dueAt) return;
    this.asked = null;
    const recent = market.events.slice(-12);
    let id = market.id;
    if (recent.length > 0 && random.chance(weather.staleReply ?? 0)) id = recent[0].first - 1;
    else if (recent.length > 0 && random.chance(weather.straddle ?? 0)) {
      const { first, final } = recent[recent.length - 1];
      id = random.pick([first - 1, first, Math.floor((first + final) / 2), final]);
    }
    const [book] = market.booksAt(id);
    if (book === undefined) return;
    const text = depthText(id, book, asked.limit, market.timeMs, this.play.kind);
    client.reply(text, asked.limit, asked.epoch);
    client.cancelRefresh();
  }

  private measure(step: number): void {
    const { client } = this;
    // A reply that no update joins is looked at again, as the feed's audit does.
    this.unjoinedFor = client.waiting ? this.unjoinedFor + 1 : 0;
    if (this.unjoinedFor > AUDIT_STEPS) {
      this.unjoinedFor = 0;
      client.resync();
    }
    if (client.resyncs !== this.resyncsSeen) {
      this.resyncsSeen = client.resyncs;
      this.brokenAt ??= step;
    }
    if (this.brokenAt !== null && client.live) {
      this.recovered.push((step - this.brokenAt) * STEP_MS);
      this.brokenAt = null;
    }
  }
}

/** Two events in a row as one. */
function joined(first: ModelEvent, second: ModelEvent): ModelEvent {
  const newest = (a: ModelEvent['bids'], b: ModelEvent['bids']) => [...new Map([...a, ...b])];
  return {
    ...second,
    first: first.first,
    previous: first.previous,
    bids: newest(first.bids, second.bids),
    asks: newest(first.asks, second.asks),
  };
}
