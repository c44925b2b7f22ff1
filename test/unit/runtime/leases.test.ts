import { Leases } from '../../../src/runtime/leases';

interface Thing {
  readonly name: string;
  closed: number;
  idle: boolean;
}

function scene(graceMs?: number) {
  const made: Thing[] = [];
  const leases = new Leases<Thing>({
    ...(graceMs === undefined ? {} : { graceMs }),
    close: async (thing) => {
      await Promise.resolve();
      thing.closed++;
    },
    onIdle: (thing, idle) => void (thing.idle = idle),
  });
  const acquire = (key: string) =>
    leases.acquire(key, () => {
      made.push({ name: `${key}${made.length}`, closed: 0, idle: true });
      return made[made.length - 1];
    });
  return { made, leases, acquire };
}

describe('leases', () => {
  it('share a value by key and close it after the last release', async () => {
    const { made, leases, acquire } = scene();
    const [one, two, other] = [acquire('a'), acquire('a'), acquire('b')];
    expect(one.value).toBe(two.value);
    expect(other.value).not.toBe(one.value);
    expect(leases.inventory()).toEqual({ values: 2, leases: 3 });
    await one.release();
    expect(made[0]).toMatchObject({ closed: 0, idle: false });
    await two.release();
    expect(made[0]).toMatchObject({ closed: 1, idle: true });
    expect(made[1].closed).toBe(0);
    expect(leases.inventory()).toEqual({ values: 1, leases: 1 });
  });

  it('count a release once, however often it is repeated', async () => {
    const { made, leases, acquire } = scene();
    const [one, two] = [acquire('a'), acquire('a')];
    const first = one.release();
    expect(one.release()).toBe(first);
    await one.release(50);
    expect(leases.inventory()).toEqual({ values: 1, leases: 1 });
    await Promise.all([two.release(), two.release()]);
    expect(made[0].closed).toBe(1);
  });

  it('make a new value while the old one closes', async () => {
    const { made, leases, acquire } = scene();
    const closing = acquire('a').release();
    const next = acquire('a');
    await closing;
    expect(made.map(({ closed }) => closed)).toEqual([1, 0]);
    expect(next.value).toBe(made[1]);
    expect(leases.inventory()).toEqual({ values: 1, leases: 1 });
  });

  it('need nobody who listens for idle values', async () => {
    const closed: string[] = [];
    const leases = new Leases<string>({ close: (value) => void closed.push(value) });
    await leases.acquire('a', () => 'value').release();
    expect(closed).toEqual(['value']);
  });

  it('make no value where its creation fails', () => {
    const { leases } = scene();
    const fail = () => {
      throw new Error('no');
    };
    expect(() => leases.acquire('a', fail)).toThrow('no');
    expect(leases.inventory()).toEqual({ values: 0, leases: 0 });
  });

  describe('with a grace', () => {
    beforeEach(() => jest.useFakeTimers());
    afterEach(() => jest.useRealTimers());

    it('keep an idle value for it, then close it', async () => {
      const { made, leases, acquire } = scene(1_000);
      await acquire('a').release();
      await jest.advanceTimersByTimeAsync(999);
      expect(made[0]).toMatchObject({ closed: 0, idle: true });
      expect(leases.inventory()).toEqual({ values: 1, leases: 0 });
      await jest.advanceTimersByTimeAsync(1);
      expect(made[0].closed).toBe(1);
      expect(leases.inventory()).toEqual({ values: 0, leases: 0 });
    });

    it('keep the value for a user that takes it again within it', async () => {
      const { made, acquire } = scene(1_000);
      await acquire('a').release();
      await jest.advanceTimersByTimeAsync(500);
      const again = acquire('a');
      await jest.advanceTimersByTimeAsync(5_000);
      expect(made).toEqual([{ name: 'a0', closed: 0, idle: false }]);
      await again.release(0);
      expect(made[0].closed).toBe(1);
    });

    it('take the grace of the last release where that names one', async () => {
      const { made, acquire } = scene(0);
      const [one, two] = [acquire('a'), acquire('a')];
      await two.release(5_000);
      await one.release(100);
      await jest.advanceTimersByTimeAsync(100);
      expect(made[0].closed).toBe(1);
    });

    it('close idle values at once when asked to, one or all, and no value in use', async () => {
      const { made, leases, acquire } = scene(1_000);
      const used = acquire('used');
      await Promise.all(['a', 'b', 'c'].map((key) => acquire(key).release()));
      await leases.closeIdle('b');
      expect(made.map(({ closed }) => closed)).toEqual([0, 0, 1, 0]);
      await leases.closeIdle();
      expect(made.map(({ closed }) => closed)).toEqual([0, 1, 1, 1]);
      await used.release(0);
      expect(leases.inventory()).toEqual({ values: 0, leases: 0 });
    });

    it('set no timer that keeps the process alive', async () => {
      jest.useRealTimers();
      const spy = jest.spyOn(global, 'setTimeout');
      const { leases, acquire } = scene(60_000);
      await acquire('a').release();
      const timer = spy.mock.results[spy.mock.results.length - 1].value as NodeJS.Timeout;
      spy.mockRestore();
      expect(timer.hasRef()).toBe(false);
      await leases.closeIdle();
    });
  });
});
