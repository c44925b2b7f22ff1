import { createServer, type AddressInfo } from 'node:net';

/** Ports that nothing listens on at this moment, on the loopback address. All different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    await Promise.all(
      servers.map(
        (server) =>
          new Promise<void>((resolve, reject) =>
            server.once('error', reject).listen(0, '127.0.0.1', resolve),
          ),
      ),
    );
    return servers.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** The port, if it is free; else any free one, or an error where just this one was asked for. */
export async function portOr(wanted: number, required: boolean): Promise<number> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(wanted, '127.0.0.1', () => resolve(true));
  });
  await new Promise((resolve) => server.close(resolve));
  if (free) return wanted;
  if (required) throw new Error(`Port ${wanted} is taken. Choose another one with --port.`);
  return (await freePorts(1))[0];
}
