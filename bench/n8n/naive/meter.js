const { connect } = require('node:net');

/** One socket for the process; what is reported goes out in order and nobody waits for it. */
function socket() {
  globalThis.orderflowBenchMeter ??= connect(Number(process.env.ORDERFLOW_BENCH_METER), '127.0.0.1').unref();
  return globalThis.orderflowBenchMeter;
}

/** Tells the benchmark what happened in n8n: a line of JSON. */
function tell(message) {
  socket().write(`${JSON.stringify(message)}\n`);
}

module.exports = { tell };
