import { playEveryShot } from '../faults/rows/hostileSockets';

/** Each hostile message once; `npm run faults -- --only 10` draws from them. */
test('what no WebSocket server may send, and text that no exchange sends', async () => {
  await playEveryShot(1);
}, 90_000);
