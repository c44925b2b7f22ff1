import { SPOT_RULE } from '../../src/binance/sequenceRule';
import { fastCodec } from '../../src/binance/wire/codec';
import { StreamConnection } from '../../src/binance/stream/streamConnection';
import { FEED_TIMINGS } from '../../src/binance/timings';
import { parseDepthReply } from '../../src/binance/wire/jsonReader';
import { BookSync } from '../../src/book/bookSync';
import { fastEngine } from '../../src/book/fast/ladderBook';
import { emptyTopSums } from '../../src/book/types';
import { TOP } from '../core/sides';
import type { Stream } from '../core/stream';
import { WebSocket } from './projectWs';

/** Receives a stream over one connection. */
export interface Receiver {
  readonly name: string;
  readonly label: string;
  /** Connects, calls `onFrame` after each frame is dealt with, and returns how to close. */
  open(url: URL, stream: Stream, onFrame: () => void, onEnd: (why: string) => void): Promise<Connection>;
}

export interface Connection {
  /** The weighted sums of the top 20 after the last frame; null where no book is kept. */
  sums(): { readonly bids: number; readonly asks: number } | null;
  close(): Promise<void>;
}

function plainSocket(take: (data: Buffer) => void): Receiver['open'] {
  return (url, _stream, onFrame, onEnd) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on('message', (data) => {
      take(data as Buffer);
      onFrame();
    });
    socket.on('error', (error) => onEnd(error.message));
    socket.on('close', (code) => onEnd(`closed with ${code}`));
    const close = () =>
      new Promise<void>((resolve) => {
        socket.removeAllListeners('close').on('close', () => resolve());
        socket.terminate();
      });
    return new Promise((resolve) => socket.on('open', () => resolve({ sums: () => null, close })));
  };
}

// The engine throws away code that was optimised for objects of which none is left. A feed's book lives on; so does
// the last one here.
let alive: unknown = null;

/** What has been seen, so that no engine may leave the seeing out. */
export function seen(): unknown {
  return [bytes, levels, alive];
}

let bytes = 0;
/** ws alone: the frame is there, nothing is done with it. */
export const wsAlone: Receiver = {
  name: 'wsAlone',
  label: 'ws alone',
  open: plainSocket((data) => (bytes += data.length)),
};

let levels = 0;
export const wsJsonParse: Receiver = {
  name: 'wsJsonParse',
  label: 'ws and JSON.parse, no book',
  open: plainSocket((data) => {
    levels += (JSON.parse(data.toString()) as { b: unknown[] }).b.length;
  }),
};

/** The feed's own connection, watchdog and all, into the book and its sums. */
export const wsOurs: Receiver = {
  name: 'ours',
  label: 'n8n-nodes-orderflow: ws, book, top-20 imbalance',
  async open(url, stream, onFrame, onEnd) {
    const codec = fastCodec();
    const sync = new BookSync(SPOT_RULE, fastEngine, false);
    sync.onReply(parseDepthReply(stream.replyText), stream.replyLimit);
    const books = new Map([[stream.symbol, sync]]);
    const sums = emptyTopSums();
    const connection = new StreamConnection(
      { url, timings: FEED_TIMINGS, messagesPerSecond: 5 },
      {
        onFrame: (_connection, frame) => {
          const message = codec.decode(frame, false);
          if (message.kind !== 'depth') return onEnd('a frame is no depth update');
          const book = books.get(message.update.symbol);
          if (book?.onUpdate(message.update) !== 'applied') return onEnd('an update was not applied');
          book.trustedSums(TOP, sums);
          onFrame();
        },
        onSubscribed: () => undefined,
        onRefused: () => undefined,
      },
    );
    alive = { codec, books, connection };
    void connection.closed.then((error) => onEnd(error.message));
    await connection.open();
    return {
      sums: () => ({ bids: sums.bidNotional, asks: sums.askNotional }),
      close: () => connection.close(),
    };
  },
};
