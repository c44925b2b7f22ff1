import type { Profile } from '../profiles';
import { decodeStream } from './requests';

export interface Route {
  readonly combined: boolean;
  readonly silent: boolean;
  readonly microseconds: boolean;
  readonly streams: readonly string[];
}

/** What a WebSocket address asks for: `/ws`, `/ws/<stream>`, `/stream`, `/stream?streams=a/b`, behind the market's routes. */
export function route(profile: Profile, address: string): Route | null {
  const url = new URL(address, 'ws://127.0.0.1');
  const match = /^(.*?)\/(ws|stream)(?:\/(.*))?$/.exec(url.pathname);
  if (match === null) return null;
  const [, prefix, kind, rest = ''] = match;
  const delivers = profile.routes.includes(prefix);
  if (!delivers && !profile.silentRoutes.includes(prefix)) return null;
  const combined = kind === 'stream';
  const names = combined ? (url.searchParams.get('streams') ?? '') : rest;
  return {
    combined,
    silent: !delivers,
    microseconds: /^microsecond$/i.test(url.searchParams.get('timeUnit') ?? '') && profile.kind === 'spot',
    streams: names
      .split('/')
      .filter((name) => name !== '')
      .map(decodeStream),
  };
}
