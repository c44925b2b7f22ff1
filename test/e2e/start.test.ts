import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePorts } from '../../scripts/n8n/ports';
import { eventually, HANG_MS } from './support';

test('npm start shows rows of the real n8n, and Ctrl+C leaves nothing behind', async () => {
  const [port] = await freePorts(1);
  const start = spawn('npm', ['start', '--', '--exchange', 'simulated', '--port', String(port)], {
    cwd: join(__dirname, '../..'),
    detached: true,
  });
  let shown = '';
  for (const stream of [start.stdout, start.stderr])
    stream.on('data', (text: Buffer) => (shown += text.toString()));
  const ended = new Promise<number | null>((resolve) => start.once('exit', resolve));
  const editor = () => fetch(`http://127.0.0.1:${port}/healthz`).then(() => true);
  try {
    const rows = () => shown.match(/(SELLING|BUYING|NEUTRAL)$/gm)?.length ?? 0;
    await eventually('rows', HANG_MS, () => rows() > 1 || start.exitCode !== null);
    expect(shown).toContain(`Editor:   http://127.0.0.1:${port}/workflow/`);
    expect(shown).toMatch(/SIMULATED market/);
    expect(await editor()).toBe(true);
    // As a terminal does: to all that run in it.
    process.kill(-(start.pid ?? 0), 'SIGINT');
    await ended;
    expect(shown).toContain('Stopped; nothing is left running.');
    await expect(editor()).rejects.toThrow();
  } finally {
    if (start.exitCode === null && start.signalCode === null) process.kill(-(start.pid ?? 0), 'SIGKILL');
  }
});
