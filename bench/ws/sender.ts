/**
 * The process that sends: a WebSocket server on loopback which gives every connection the synthetic stream from its
 * beginning, `?events=N&perSecond=M` of it; without a rate as fast as it is taken.
 */
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { syntheticStream, type Frames } from '../core/stream';
import { monotonicMs } from '../../src/runtime/time';
import { WebSocketServer } from './projectWs';

/** The receiver takes its first look at its clock before the first frame comes. */
const BEFORE_FIRST_MS = 50;
const MOST_BUFFERED_BYTES = 1024 * 1024;
const BATCH = 64;
const LEAST_WAIT_MS = 0.02;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

async function send(socket: WebSocket, frames: Frames, events: number, perSecond: number): Promise<void> {
  await sleep(BEFORE_FIRST_MS);
  const startedMs = monotonicMs();
  for (let from = 0; from < events && socket.readyState === socket.OPEN; from += BATCH) {
    const to = Math.min(from + BATCH, events);
    const batch = frames.receive('frames', from, to).frames;
    for (let i = from; i < to; i++) {
      if (perSecond > 0) await until(startedMs + (i * 1_000) / perSecond);
      socket.send(batch[i - from], { binary: false });
    }
    while (socket.bufferedAmount > MOST_BUFFERED_BYTES) await nextTurn();
  }
}

/** A timer is late by a millisecond; this is not. */
async function until(timeMs: number): Promise<void> {
  for (;;) {
    const waitMs = timeMs - monotonicMs();
    if (waitMs < LEAST_WAIT_MS) return;
    if (waitMs > 3) await sleep(waitMs - 2);
    else Atomics.wait(sleeper, 0, 0, waitMs);
    await nextTurn();
  }
}

process.once('message', ({ events, seed }: { events: number; seed: number }) => {
  const { frames } = syntheticStream(events, seed);
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', (socket, request) => {
    const query = new URL(request.url ?? '/', 'ws://localhost').searchParams;
    socket.on('error', () => socket.terminate());
    void send(socket, frames, Number(query.get('events')), Number(query.get('perSecond') ?? 0));
  });
  server.on('listening', () => process.send?.({ port: (server.address() as AddressInfo).port }));
});
process.once('disconnect', () => process.exit());
