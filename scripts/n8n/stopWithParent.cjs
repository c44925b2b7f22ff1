/**
 * Loaded into n8n before its own code (node --require): n8n ends when the process that started it is gone, however
 * it went, because its standard input is a pipe that only that process holds.
 */
if (process.env.ORDERFLOW_STOP_WITH_PARENT === '1') {
  delete process.env.ORDERFLOW_STOP_WITH_PARENT;
  process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM'));
  process.stdin.on('error', () => process.kill(process.pid, 'SIGTERM'));
  process.stdin.resume();
  process.stdin.unref?.();
}
