import { Watchdog } from '../../../src/net/watchdog';

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
    expect(at).toBe(3_800);
  });

  test('a connection that nobody could probe is not cut', () => {
    const dog = new Watchdog(0, 500, 2_000, 100);
    for (let now = 500; now < 10_000; now += 100) expect(dog.check(now)).toBe('probe');
  });

  test('any traffic counts; an answered probe keeps a quiet connection forever', () => {
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

describe('a connection that sent often', () => {
  const PERIOD_MS = 10_000;
  const CHECK_MS = 500;
  /** The figures of a real feed: traffic at intervals for a while, probes answered or not; then nothing more comes. */
  const busy = (everyMs: number, options: { readonly answers: boolean } = { answers: true }) => {
    const dog = new Watchdog(0, 2_000, PERIOD_MS, CHECK_MS);
    let now = 0;
    for (; now <= 60_000; now += everyMs) {
      dog.onTraffic(now);
      if (now % CHECK_MS === 0 && dog.check(now) === 'probe') {
        const serial = dog.onProbe(now);
        if (options.answers) dog.onAnswer(now + 1, serial);
      }
    }
    return { dog, last: now - everyMs };
  };
  /** Milliseconds from the last traffic to the cut. @param lateMs each check comes so much later than it should */
  const cutAfter = ({ dog, last }: ReturnType<typeof busy>, lateMs = 0): number => {
    for (let now = last + CHECK_MS; now < last + 60_000; now += CHECK_MS + lateMs) {
      const advice = dog.check(now);
      if (advice === 'cut') return now - last;
      if (advice === 'probe') dog.onProbe(now);
    }
    return Infinity;
  };

  test('is cut within 8 s where updates came ten times a second', () => {
    const tookMs = cutAfter(busy(100));
    expect(tookMs).toBe(7_000);
  });

  test('is cut the later the slower its pace was, at last as any other', () => {
    expect(cutAfter(busy(250))).toBeLessThan(8_000);
    const slower = cutAfter(busy(500));
    expect(slower).toBeGreaterThan(9_000);
    expect(slower).toBeLessThan(12_000);
    expect(cutAfter(busy(2_000))).toBeGreaterThanOrEqual(19_000);
  });

  test('is asked for an answer once while it is busy, and never again', () => {
    const dog = new Watchdog(0, 2_000, PERIOD_MS, CHECK_MS);
    const asked: number[] = [];
    for (let now = 0; now < 60_000; now += 100) {
      dog.onTraffic(now);
      if (now % CHECK_MS !== 0 || dog.check(now) !== 'probe') continue;
      asked.push(now);
      dog.onAnswer(now + 1, dog.onProbe(now));
    }
    expect(asked).toHaveLength(1);
    expect(asked[0]).toBeLessThan(10_000);
  });

  test('is left alone for as long as any other where the server never answered a probe', () => {
    expect(cutAfter(busy(100, { answers: false }))).toBeGreaterThanOrEqual(19_000);
  });

  test('is not cut while its server answers, however suddenly it became quiet', () => {
    const { dog, last } = busy(100);
    for (let now = last + CHECK_MS; now < last + 120_000; now += CHECK_MS) {
      const advice = dog.check(now);
      expect(advice).not.toBe('cut');
      if (advice === 'probe') dog.onAnswer(now + 1_500, dog.onProbe(now));
    }
  });

  test('is given the time that a busy machine was not there to listen', () => {
    expect(cutAfter(busy(100), 240)).toBeGreaterThanOrEqual(10_000);
    // Three times as far apart as they should be is only slow; later than that the process stood still, and nothing is cut.
    expect(cutAfter(busy(100), 1_000)).toBeLessThan(40_000);
    expect(cutAfter(busy(100), 1_001)).toBe(Infinity);
    // Where checks are frequent, a quarter of a second late is still slow.
    const cutAt = (every: number): number => {
      const dog = new Watchdog(0, 500, 2_000, 100);
      for (let now = every; now < 30_000; now += every) {
        const advice = dog.check(now);
        if (advice === 'cut') return now;
        if (advice === 'probe') dog.onProbe(now);
      }
      return Infinity;
    };
    expect(cutAt(350)).toBeLessThan(5_000);
    expect(cutAt(351)).toBe(Infinity);
  });

  test('has two probes unanswered before it is cut', () => {
    const { dog, last } = busy(100);
    for (let now = last + CHECK_MS; now < last + 18_000; now += CHECK_MS) {
      const advice = dog.check(now);
      expect(advice).not.toBe('cut');
      if (advice === 'probe' && now < last + 3_000) dog.onProbe(now);
    }
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
    dog.onAnswer(4_000, earlier);
    expect(dog.provenMs(4_000)).toBe(0);
    const serial = dog.onProbe(4_000);
    expect(dog.check(4_100)).toBe('wait');
    dog.onAnswer(4_110, earlier);
    dog.onAnswer(4_110, NaN);
    expect(dog.provenMs(4_110)).toBe(0);
    dog.onAnswer(4_120, serial);
    expect(dog.provenMs(4_120)).toBe(4_120);
  });

  test('a second stall starts the doubt again and keeps the older time', () => {
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
