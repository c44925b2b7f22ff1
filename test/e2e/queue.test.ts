import { n8nLayout } from '../../scripts/n8n/layout';
import { ACCIDENTS, type Accident } from '../queue/accidents';
import { playAccident, playTestRun } from '../queue/play';
import { NO_POSTGRES, postgresFolder } from '../queue/postgres';
import { QueueMode } from '../queue/queueMode';
import { describeWhere } from '../support/where';

/** A part of `npm run queue`, which plays all accidents. */
describeWhere(postgresFolder() !== null, NO_POSTGRES)(
  'in queue mode, with a main process and two workers',
  () => {
    let queue: QueueMode;

    beforeAll(async () => {
      queue = await QueueMode.start(n8nLayout(), 2, process.env.ORDERFLOW_E2E_TARBALL);
      await queue.publish();
      // As fast as n8n allows, the machine would have no time left for the accidents.
      queue.holds.takes.set('continuous', 500);
    });
    afterAll(() => queue?.close());

    test('a test run on a worker gives the true book', async () => {
      expect(await playTestRun(queue)).toEqual([]);
    });

    test('a worker is killed: every item is true, no alert is lost, doubled or out of order, and alerts are back in time', async () => {
      const accident = ACCIDENTS.find(({ name }) => name === 'worker-killed') as Accident;
      const { faults, alerts } = await playAccident(queue, accident);
      expect(faults).toEqual([]);
      expect(alerts).toBeGreaterThan(0);
    });

    test('a test run that stays on the main process gives the true book', async () => {
      await queue.keepTestRuns();
      expect(await playTestRun(queue)).toEqual([]);
    });
  },
);
