const { default: Sequencer } = require('@jest/test-sequencer');

/** The file of faults takes minutes on one core. Started last, as on a new checkout, it leaves the other one idle. */
module.exports = class FaultsFirst extends Sequencer {
  sort(tests) {
    const isSlow = ({ path }) => path.endsWith('/faults.test.ts');
    const sorted = super.sort(tests);
    return [...sorted.filter(isSlow), ...sorted.filter((test) => !isSlow(test))];
  }
};
