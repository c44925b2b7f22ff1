import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { PROJECT_ROOT, shippedFolders } from '../../scripts/n8n/communityPackage';
import { npmCommand, npmEnv } from '../../scripts/processes';
import type { Certificate } from './certificates';

/** What npm asks for by a name. */
interface Packument {
  readonly name: string;
  'dist-tags': { latest: string };
  readonly versions: Record<string, object>;
}

/** npm looks a peer up, also where it leaves it out: n8n brings it, so here it needs nothing itself. */
const PEER = { name: 'n8n-workflow', version: '2.41.0' };

/** A registry on loopback that holds our packed package and what is shipped with it. */
export class LoopbackRegistry {
  /** Paths that were asked for, in order. */
  readonly asked: string[] = [];
  private readonly packuments = new Map<string, Packument>();
  private readonly files = new Map<string, Buffer>();
  private readonly server: http.Server | https.Server;

  private constructor(certificate?: Certificate) {
    const serve = (request: IncomingMessage, response: ServerResponse) => this.answer(request, response);
    this.server =
      certificate === undefined
        ? http.createServer(serve)
        : https.createServer(
            { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) },
            serve,
          );
  }

  /** @param files packed packages, as `pack` gives them @param certificate serves https with it, in place of http */
  static async start(files: readonly string[], certificate?: Certificate): Promise<LoopbackRegistry> {
    const registry = new LoopbackRegistry(certificate);
    registry.add(PEER, null);
    for (const file of files) {
      const text = execFileSync('tar', ['-xzOf', file, 'package/package.json'], { encoding: 'utf8' });
      registry.add(JSON.parse(text) as { name: string; version: string }, file);
    }
    await new Promise<void>((resolve) => registry.server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  /**
   * Packs what is shipped with our package.
   * @param tarball ours
   * @param folder where the others go
   * @returns the files of all
   */
  static pack(tarball: string, folder: string): string[] {
    const shipped = shippedFolders().map((path) => join(PROJECT_ROOT, path));
    const npm = npmCommand(['pack', '--json', '--ignore-scripts', '--pack-destination', folder, ...shipped]);
    const packed = execFileSync(npm.command, npm.args, { cwd: folder, env: npmEnv(), encoding: 'utf8' });
    const names = (JSON.parse(packed) as Array<{ filename: string }>).map(({ filename }) => filename);
    return [tarball, ...names.map((name) => join(folder, name))];
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private add(manifest: { readonly name: string; readonly version: string }, file: string | null): void {
    const { name, version } = manifest;
    const packument = this.packuments.get(name) ?? { name, 'dist-tags': { latest: version }, versions: {} };
    this.packuments.set(name, packument);
    const content = file === null ? Buffer.alloc(0) : readFileSync(file);
    const path = file === null ? 'not-held.tgz' : basename(file);
    if (file !== null) {
      this.files.set(path, content);
      packument['dist-tags'].latest = version;
    }
    packument.versions[version] = {
      ...manifest,
      dist: {
        // Made into an address when it is asked for.
        tarball: path,
        integrity: `sha512-${createHash('sha512').update(content).digest('base64')}`,
        shasum: createHash('sha1').update(content).digest('hex'),
      },
    };
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent((request.url ?? '/').slice(1));
    this.asked.push(path);
    const file = this.files.get(path.replace(/^-\//, ''));
    if (file !== undefined)
      return void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(file);
    // A packument, or one version of it: NAME/VERSION.
    const [, name, version] = /^((?:@[^/]+\/)?[^/]+)(?:\/([^/]+))?$/.exec(path) ?? [];
    const packument = this.packuments.get(name);
    if (packument === undefined)
      return void response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"error":"Not found"}');
    const wanted = version === 'latest' ? packument['dist-tags'].latest : version;
    const found = wanted === undefined ? packument : packument.versions[wanted];
    const origin = `${this.server instanceof https.Server ? 'https' : 'http'}://${request.headers.host}`;
    const text = JSON.stringify(found).replace(/"tarball":"([^"]+)"/g, `"tarball":"${origin}/-/$1"`);
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  }
}
