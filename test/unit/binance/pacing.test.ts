import fc from 'fast-check';
import { AttemptWindow, Pacer } from '../../../src/binance/pacer';
import { LONGEST_BAN_MS } from '../../../src/binance/refusals';
import { Watchdog } from '../../../src/binance/watchdog';
import { depthPlan, answeredLimit } from '../../../src/binance/depthPlan';
import { MARKETS } from '../../../src/binance/markets';

test('never more than so many messages in any rolling window, whatever the pattern', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 60 }), (gaps) => {
      const pacer = new Pacer(4, 1_000);
      const sent: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        now += pacer.waitMs(now);
        pacer.note(now);
        sent.push(now);
      }
      for (const at of sent)
        expect(sent.filter((t) => t >= at && t < at + 1_000).length).toBeLessThanOrEqual(4);
    }),
  );
});

test('connection attempts are spread once the window is full', () => {
  const window = new AttemptWindow(3, 1_000);
  expect([0, 0, 0, 0, 0].map((now) => window.take(now))).toEqual([0, 0, 0, 1_000, 1_000]);
  expect(window.take(500)).toBe(500);
  expect(window.take(1_500)).toBe(500);
});

describe('attempts that a host refuses', () => {
  const paused = (window: AttemptWindow, now: number) => window.pause(now)?.forMs ?? 0;

  test('nobody tries before the time, with up to a tenth more; then one a second until one stands', () => {
    const window = new AttemptWindow(100, 300_000, () => 0.5);
    expect(window.take(0)).toBe(0);
    window.refused(0, 'OF_BANNED', 60_000);
    expect(window.pause(0)).toEqual({ code: 'OF_BANNED', forMs: 62_500 });
    // Sent before the ban: it ends nothing, and counts as no second refusal.
    window.accepted(1);
    window.refused(2, 'OF_RATE_LIMITED', 0);
    expect(window.pause(2)).toEqual({ code: 'OF_BANNED', forMs: 62_498 });
    expect(window.pause(62_500)).toBeNull();
    expect([1, 2, 3].map(() => window.take(62_500))).toEqual([0, 1_000, 2_000]);
    window.accepted(63_500);
    expect(window.take(63_600)).toBe(0);
  });

  test('refused in a row without a time, or at once: twice as long each time, up to a minute', () => {
    for (const asked of [null, 0]) {
      const window = new AttemptWindow(100, 300_000, () => 0);
      const waits: number[] = [];
      for (let now = 0; waits.length < 8; now += waits[waits.length - 1]) {
        window.refused(now, 'OF_RATE_LIMITED', asked);
        waits.push(paused(window, now));
      }
      expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1_000));
      window.accepted(1e6);
      window.refused(1e6, 'OF_RATE_LIMITED', asked);
      expect(paused(window, 1e6)).toBe(1_000);
    }
  });

  test('no longer than the exchange bans anybody', () => {
    const window = new AttemptWindow(100, 300_000, () => 0);
    window.refused(0, 'OF_BANNED', 1e15);
    expect(paused(window, 0)).toBe(LONGEST_BAN_MS);
  });
});

describe('watchdog', () => {
  const run = (dog: Watchdog, from: number, to: number, every = 100) => {
    const advice: [number, string][] = [];
    for (let now = from + every; now <= to; now += every) {
      const said = dog.check(now);
      if (said === 'probe') dog.onProbe(now);
      if (said !== 'wait') advice.push([now, said]);
      if (said === 'cut') break;
    }
    return advice;
  };

  test('silent in spite of probes: cut within two periods, not before one', () => {
    const dog = new Watchdog(0, 500, 2_000, 100);
    const advice = run(dog, 0, 10_000);
    expect(advice[0]).toEqual([500, 'probe']);
    const [at, last] = advice[advice.length - 1];
    expect(last).toBe('cut');
    expect(at).toBeGreaterThan(2_000);
    expect(at).toBeLessThanOrEqual(4_000);
  });

  test('any traffic counts; an answered probe keeps a quiet connection for ever', () => {
    const dog = new Watchdog(0, 500, 2_000, 100);
    for (let now = 100; now < 60_000; now += 100) {
      const said = dog.check(now);
      expect(said).not.toBe('cut');
      if (said === 'probe') {
        dog.onProbe(now);
        dog.onTraffic(now + 20);
      }
    }
  });

  test('a stall of any length cuts nothing by itself, and the age stays honest', () => {
    const dog = new Watchdog(0, 500, 2_000, 100);
    run(dog, 0, 1_500);
    expect(dog.check(61_500)).not.toBe('cut');
    expect(dog.provenMs(61_500)).toBe(0);
    const advice = run(dog, 61_500, 70_000);
    const [at, last] = advice[advice.length - 1];
    expect(last).toBe('cut');
    expect(at - 61_500).toBeGreaterThanOrEqual(1_500);
    expect(at - 61_500).toBeLessThanOrEqual(4_000);
  });
});

describe('after this process stood still', () => {
  /** Traffic until 1 000, checks every 100; then nothing runs until 4 000. */
  const stalled = () => {
    const dog = new Watchdog(0, 500, 2_000, 100);
    for (let now = 100; now <= 1_000; now += 100) {
      dog.onTraffic(now - 10);
      dog.check(now);
    }
    return dog;
  };

  test('what is read proves nothing of the present, before the check that notices and after it', () => {
    const dog = stalled();
    dog.onTraffic(4_000);
    expect(dog.provenMs(4_000)).toBe(990);
    expect(dog.check(4_000)).toBe('probe');
    dog.onTraffic(4_010);
    expect(dog.provenMs(4_010)).toBe(990);
  });

  test('the answer to a probe sent since ends the doubt, that to an earlier one does not', () => {
    const dog = new Watchdog(0, 500, 2_000, 100);
    const earlier = dog.onProbe(0);
    dog.check(100);
    expect(dog.check(4_000)).toBe('probe');
    const serial = dog.onProbe(4_000);
    expect(dog.check(4_100)).toBe('wait');
    dog.onAnswer(4_110, earlier);
    dog.onAnswer(4_110, NaN);
    expect(dog.provenMs(4_110)).toBe(0);
    dog.onAnswer(4_120, serial);
    expect(dog.provenMs(4_120)).toBe(4_120);
  });

  test('a second stall begins the doubt anew and keeps the older time', () => {
    const dog = stalled();
    dog.check(4_000);
    const serial = dog.onProbe(4_000);
    dog.onAnswer(8_000, serial);
    expect(dog.check(8_000)).toBe('probe');
    expect(dog.provenMs(8_000)).toBe(990);
    dog.onAnswer(8_010, dog.onProbe(8_005));
    expect(dog.provenMs(8_010)).toBe(8_010);
  });

  test('an exchange that answers no probe is believed again once it has been read for long enough', () => {
    const dog = stalled();
    for (let now = 4_000; now < 5_000; now += 100) {
      if (dog.check(now) === 'probe') dog.onProbe(now);
      dog.onTraffic(now + 1);
      expect(dog.provenMs(now + 1)).toBe(990);
    }
    dog.check(5_000);
    expect(dog.provenMs(5_001)).toBe(4_901);
  });

  test('a check that is a little late is none', () => {
    const dog = stalled();
    dog.onTraffic(1_340);
    expect(dog.provenMs(1_350)).toBe(1_340);
    expect(dog.check(1_350)).toBe('wait');
    expect(dog.provenMs(1_350)).toBe(1_340);
  });
});

describe('depth', () => {
  const spot = MARKETS.spot;
  test.each([
    [20, 'auto', 1, { first: 100, hasty: 100, full: 5_000 }],
    [20, 'auto', 12, { first: 100, hasty: 100, full: 5_000 }],
    [20, 'auto', 13, { first: 100, hasty: 100, full: 1_000 }],
    [20, 'auto', 60, { first: 100, hasty: 100, full: 1_000 }],
    [20, 'auto', 120, { first: 100, hasty: 100, full: 500 }],
    [20, 'auto', 1_000, { first: 100, hasty: 100, full: 100 }],
    [200, 'auto', 1_000, { first: 400, hasty: 400, full: 400 }],
    [20, 250, 5, { first: 250, hasty: 250, full: 250 }],
    [5_000, 'auto', 5, { first: 5_000, hasty: 5_000, full: 5_000 }],
    // Many that want deep books: readers are served with what is cheapest first.
    [20, 5_000, 13, { first: 5_000, hasty: 100, full: 5_000 }],
    [400, 'auto', 61, { first: 800, hasty: 500, full: 800 }],
  ] as const)('%i levels, %s, %i symbols', (levels, depth, symbols, plan) => {
    expect(depthPlan(spot, levels, depth, symbols, 3_000)).toEqual(plan);
  });

  test('futures take only the listed limits', () => {
    expect(depthPlan(MARKETS.usdm, 20, 250, 1, 1_200)).toEqual({ first: 500, hasty: 500, full: 500 });
    expect(depthPlan(MARKETS.usdm, 20, 'auto', 1, 1_200)).toEqual({ first: 100, hasty: 100, full: 1_000 });
    expect(depthPlan(MARKETS.usdm, 20, 'auto', 300, 1_200)).toEqual({ first: 100, hasty: 50, full: 100 });
  });

  test('a reply that was clamped in silence does not pass for the whole side', () => {
    expect(answeredLimit(spot, 5_000, 1_000, 1_000)).toBe(1_000);
    expect(answeredLimit(spot, 5_000, 1_000, 730)).toBe(1_000);
    expect(answeredLimit(spot, 5_000, 37, 12)).toBe(5_000);
    expect(answeredLimit(spot, 100, 100, 100)).toBe(100);
  });
});
