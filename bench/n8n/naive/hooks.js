const { tell } = require('./meter.js');

/** n8n's own hooks around an execution: taken on, and ended. */
module.exports = {
  workflow: {
    preExecute: [async (workflow) => tell({ kind: 'taken', workflow: workflow.id, atMs: Date.now() })],
    postExecute: [async (_run, workflow) => tell({ kind: 'ended', workflow: workflow.id, atMs: Date.now() })],
  },
};
