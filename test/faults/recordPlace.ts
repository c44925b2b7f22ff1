import { openStore } from '../../src/store/openStore';
import type { SnapshotStore } from '../../src/store/types';
import { credentialsOf } from '../support/storeFixtures';
import { noRedisConnectionLeft, sharedRedis } from './sharedRedis';

let counter = 0;

/** A store of one of both kinds, and the keys of a record that nobody else uses. */
export interface RecordPlace {
  readonly store: SnapshotStore;
  readonly target: { readonly recordKey: string; readonly feedKey: string };
}

/** Gives `act` a place, and sees to it that nothing of the store is left. */
export async function withPlace<T>(
  kind: 'redis' | 'memory',
  act: (place: RecordPlace) => Promise<T>,
): Promise<T> {
  const name = `examples/faults-writers-${process.pid}-${counter++}`;
  const target = { recordKey: `${name}-orderbook`, feedKey: `${name}-feed` };
  const store =
    kind === 'memory'
      ? openStore({ kind })
      : openStore({ kind, credentials: credentialsOf(await sharedRedis()) });
  try {
    return await act({ store, target });
  } finally {
    await store.close();
    await noRedisConnectionLeft();
  }
}
