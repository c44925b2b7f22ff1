import { createServer } from 'node:net';

/** Below the range from which systems assign ports, so that none of these is assigned in between. */
const FIRST_PORT = 20_000;
const LAST_PORT = 29_999;
const PORTS = LAST_PORT - FIRST_PORT + 1;
const ATTEMPTS = 200;

/** Each process counts up from a start of its own: two that choose at the same time meet less often than by lot. */
let tried = Math.floor(Math.random() * PORTS);

/** Ports that nothing listens on at this moment, on the loopback address. All different. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; found.size < count; attempt++) {
    if (attempt === ATTEMPTS) throw new Error(`No free port from ${FIRST_PORT} to ${LAST_PORT}.`);
    const port = FIRST_PORT + (tried++ % PORTS);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  await new Promise((resolve) => server.close(resolve));
  return free;
}

/** The port, if it is free; else any free one, or an error where just this one was asked for. */
export async function portOr(wanted: number, required: boolean): Promise<number> {
  if (await isFree(wanted)) return wanted;
  if (required) throw new Error(`Port ${wanted} is taken. Choose another one with --port.`);
  return (await freePorts(1))[0];
}
