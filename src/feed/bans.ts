/** A time in which a host takes no requests from this address. */
export interface Ban {
  readonly code: 'OF_BANNED' | 'OF_RATE_LIMITED';
  readonly forMs: number;
}

/** The bans that this process knows of, by REST host: what processes that share a store exchange. */
export interface BanBoard {
  /** The ban that this process received itself from the host, with what is left of it. */
  ownBan(host: string): Ban | null;
  /** A ban that another process received. */
  apply(host: string, ban: Ban): void;
  /** Calls the listener when the host bans this process. Returns the function that ends it. */
  onBan(listener: (host: string) => void): () => void;
}
