import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as ws from 'ws';
import { WORKSPACE } from '../lib/peers';

/** The `ws` that the feed itself uses. An import from here would find the one that a peer brings into bench/node_modules. */
const requireProject = createRequire(join(WORKSPACE, '..', 'package.json'));
export const { WebSocket, WebSocketServer } = requireProject('ws') as typeof ws;
export const WS_VERSION = (requireProject('ws/package.json') as { version: string }).version;
