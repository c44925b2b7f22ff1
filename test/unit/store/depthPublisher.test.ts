import { OrderFlowError } from '../../../src/runtime/errors';
import type { SnapshotStore } from '../../../src/store/types';
import { acquireDepthPublisher, type DepthPublisher } from '../../../src/store/writers/depthPublisher';
import { LOWER_ID_GRACE_MS } from '../../../src/store/writers/recordWriter';
import { HandMadeView } from '../../support/handMadeView';

let scenes = 0;

/** A topic, and triggers that send to it: each with a feed of its own, whose events are their ids. */
class Scene {
  readonly sent: number[] = [];
  failure: OrderFlowError | null = null;
  private readonly store: SnapshotStore;
  private readonly handles: DepthPublisher[] = [];

  constructor() {
    const publish = (_topic: string, event: Buffer) => {
      if (this.failure !== null) return Promise.reject(this.failure);
      this.sent.push(Number(event.toString()));
      return Promise.resolve();
    };
    const close = () => Promise.resolve();
    this.store = { identity: `topic ${scenes++}`, publish, close, share: () => this.store } as never;
  }

  trigger(state: HandMadeView['state'] = 'live') {
    const view = new HandMadeView();
    view.state = state;
    const errors: Array<string | null> = [];
    const handle = acquireDepthPublisher(this.store, 'btcusdt-depth', view, (error) =>
      errors.push(error?.code ?? null),
    );
    this.handles.push(handle);
    const brings = (...ids: number[]) => {
      for (const id of ids) {
        view.lastUpdateId = id;
        handle.publish(Buffer.from(String(id)));
      }
    };
    return { view, errors, handle, brings };
  }

  async close(): Promise<void> {
    await Promise.all(this.handles.map((handle) => handle.release()));
  }
}

let scene: Scene;
beforeEach(() => (scene = new Scene()));
afterEach(async () => {
  jest.restoreAllMocks();
  await scene.close();
});

test('of two live feeds each event is sent once', () => {
  const [older, newer] = [scene.trigger(), scene.trigger()];
  older.brings(2);
  newer.brings(2, 3, 4);
  older.brings(3, 4);
  expect(scene.sent).toEqual([2, 3, 4]);
});

test.each(['connecting', 'syncing', 'backing-off', 'stopped'] as const)(
  'where the older feed is %s, the events of the live one are sent',
  (state) => {
    const [older, newer] = [scene.trigger(), scene.trigger()];
    older.brings(2);
    older.view.state = state;
    newer.brings(2, 3, 4);
    older.brings(3);
    expect(scene.sent).toEqual([2, 3, 4]);
  },
);

test('the feed in use is kept when the older one comes back', () => {
  const [older, newer] = [scene.trigger('connecting'), scene.trigger()];
  newer.brings(2);
  older.view.state = 'live';
  older.brings(2, 3);
  newer.brings(3, 4);
  expect(scene.sent).toEqual([2, 3, 4]);
});

test('while none is live, the events of one are sent as they come', () => {
  const [older, newer] = [scene.trigger('syncing'), scene.trigger('syncing')];
  older.brings(2);
  newer.brings(2);
  expect(scene.sent).toEqual([2]);
});

test('a feed whose ids are lower takes over after a while: they have started over', () => {
  const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
  const [older, newer] = [scene.trigger(), scene.trigger()];
  older.brings(900);
  older.view.state = 'stopped';
  now.mockReturnValue(1_000 + LOWER_ID_GRACE_MS - 1);
  newer.brings(5);
  now.mockReturnValue(1_000 + LOWER_ID_GRACE_MS);
  newer.brings(6, 7);
  expect(scene.sent).toEqual([900, 6, 7]);
});

test('ids of one feed may start over at any time', () => {
  const only = scene.trigger();
  only.brings(900, 5, 6);
  expect(scene.sent).toEqual([900, 5, 6]);
});

test('after the release of the feed in use another sends, and the released one does not', async () => {
  const [older, newer] = [scene.trigger(), scene.trigger()];
  older.brings(2);
  await older.handle.release();
  older.brings(3);
  newer.brings(2, 3);
  await newer.handle.release();
  newer.brings(4);
  older.brings(4);
  expect(scene.sent).toEqual([2, 3]);
});

test('who joins while publishing fails is given the error, and when it works again', async () => {
  const older = scene.trigger();
  scene.failure = new OrderFlowError('OF_REDIS_PERMISSION', 'no rights');
  older.brings(2);
  await new Promise(setImmediate);
  const newer = scene.trigger();
  expect([older.errors, newer.errors]).toEqual([['OF_REDIS_PERMISSION'], ['OF_REDIS_PERMISSION']]);
  scene.failure = null;
  older.brings(3);
  await new Promise(setImmediate);
  expect([older.errors[1], newer.errors[1]]).toEqual([null, null]);
  expect(scene.trigger().errors).toEqual([]);
});
