const { tell } = require('./meter.js');

/** The first node after a trigger: says when it ran and with which books, and hands them on. */
class Probe {
  description = {
    displayName: 'Probe',
    name: 'probe',
    group: ['transform'],
    version: 1,
    description: 'Says when an execution got here',
    defaults: { name: 'Probe' },
    inputs: ['main'],
    outputs: ['main'],
    properties: [],
  };

  async execute() {
    const atMs = Date.now();
    const items = this.getInputData();
    const books = items.map(({ json }) => [json.eventTimeMs, json.receivedAtMs, json.passedOver]);
    tell({ kind: 'started', workflow: this.getWorkflow().id, atMs, books });
    return [items];
  }
}

module.exports = { Probe };
