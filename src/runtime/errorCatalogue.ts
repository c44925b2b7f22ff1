/**
 * Every error this package makes, in one table: a stable code, whether trying again can help, and what the
 * user should do. `docs/ERRORS.md` lists exactly these codes; a test compares the two.
 */
export interface CatalogueEntry {
  /** Can the same request succeed later without anyone changing anything? */
  readonly retryable: boolean;
  /** What happened, in a few words. */
  readonly summary: string;
  /** What the user should do. */
  readonly remedy: string;
}

const entry = (retryable: boolean, summary: string, remedy: string): CatalogueEntry => ({
  retryable,
  summary,
  remedy,
});

export const ERROR_CATALOGUE = {
  // Parameters
  OF_PARAMETER: entry(
    false,
    'A parameter has a value that cannot be used',
    'Correct the field named in the message.',
  ),
  OF_BASE_URL: entry(
    false,
    'A custom base URL cannot be used',
    'Use http(s):// for REST and ws(s):// for WebSocket, without user name or password, for example https://data-api.binance.vision.',
  ),
  OF_QUEUE_MODE_NEEDS_REDIS: entry(
    false,
    'The store "This n8n Process" does not work in queue mode, where trigger and action run in different processes',
    'Set Snapshot Store to Redis and choose an Order Flow Redis credential.',
  ),

  // Exchange, REST
  OF_UNKNOWN_SYMBOL: entry(
    false,
    'The exchange does not list this symbol',
    'Check the spelling (for example BTCUSDT, no dash or slash) and that the symbol belongs to the chosen market.',
  ),
  OF_RESTRICTED_LOCATION: entry(
    false,
    'The exchange refuses requests from this location (HTTP 451)',
    'Set the base URLs in Options to the market-data-only hosts (https://data-api.binance.vision and wss://data-stream.binance.vision), choose the market Binance.US, or set HTTPS_PROXY to a proxy in a location the exchange serves.',
  ),
  OF_FIREWALL: entry(
    true,
    'A firewall in front of the exchange refused the request (HTTP 403)',
    'Nothing, if it passes within minutes. Otherwise check the proxy and the base URL, and lower the number of symbols.',
  ),
  OF_RATE_LIMITED: entry(
    true,
    'The exchange asks for fewer requests (HTTP 429)',
    'Nothing: the package waits as long as the exchange asked. If it repeats, other programs behind the same address use up its request weight.',
  ),
  OF_BANNED: entry(
    true,
    'The exchange has banned this address for a while (HTTP 418)',
    'Nothing: the package waits until the ban ends. Find what else behind this address sends too many requests.',
  ),
  OF_WEIGHT_EXHAUSTED: entry(
    true,
    "This process's share of the exchange's request weight is used up for the moment",
    'Nothing: the request waits its turn. Fewer symbols or a smaller Book Depth make starting faster.',
  ),
  OF_HTTP_STATUS: entry(
    true,
    'The exchange answered with an unexpected HTTP status',
    'Nothing, if it passes. Otherwise check the base URL.',
  ),
  OF_HTTP_REDIRECT: entry(
    false,
    'The server redirects to another address',
    'Set the base URL to the final address; redirects are not followed.',
  ),
  OF_BAD_RESPONSE: entry(
    true,
    'The reply is not what the exchange documents',
    'Nothing, if it passes. Otherwise check that the base URL belongs to the exchange and that no proxy changes replies.',
  ),
  OF_RESPONSE_TOO_LARGE: entry(
    true,
    'The reply is larger than any real one',
    'Check that the base URL belongs to the exchange.',
  ),
  OF_TIMEOUT: entry(
    true,
    'The server did not answer in time',
    'Check the network connection and the proxy settings.',
  ),
  OF_CONNECT: entry(
    true,
    'The server cannot be reached',
    'Check the network connection, the base URL and the proxy settings (HTTPS_PROXY, NO_PROXY).',
  ),
  OF_DNS: entry(
    true,
    'The host name cannot be resolved',
    'Check the base URL for typing errors, and the name server of this machine.',
  ),
  OF_TLS: entry(
    false,
    "The server's certificate cannot be trusted",
    'Check the host name; for a certificate authority of your own set NODE_EXTRA_CA_CERTS (exchange) or the CA field of the credential (Redis).',
  ),
  OF_PROXY: entry(
    true,
    'The proxy refused or dropped the connection',
    'Check HTTPS_PROXY and whether the proxy lets this host through.',
  ),
  OF_PROXY_AUTH: entry(
    false,
    'The proxy asks for a user name and password',
    'Put them into HTTPS_PROXY (http://user:password@host:port).',
  ),
  OF_PROXY_SETTING: entry(
    false,
    'The proxy that the environment names cannot be used',
    'Write http://host:port or http://user:password@host:port into HTTPS_PROXY (HTTP_PROXY or ALL_PROXY where that is the one set) and start n8n again; SOCKS proxies are not supported. For no proxy add the host to NO_PROXY.',
  ),

  // Exchange, stream
  OF_FRAME_INVALID: entry(
    true,
    'A frame from the exchange cannot be read',
    'Nothing: the book is fetched anew.',
  ),
  OF_FRAME_TOO_LARGE: entry(
    true,
    'A frame is larger than any real one',
    'Check that the base URL belongs to the exchange.',
  ),
  OF_STREAM_REFUSED: entry(
    true,
    'The exchange refused the WebSocket connection',
    'Nothing, if it passes. Otherwise check the base URL.',
  ),
  OF_SYMBOL_REFUSED: entry(
    true,
    'The exchange refuses the stream of this symbol',
    'Check the spelling of the symbol and that it belongs to the chosen market. It is asked for again every few minutes.',
  ),
  OF_STREAM_CLOSED: entry(
    true,
    'The exchange closed the WebSocket connection',
    'Nothing: it is opened again.',
  ),
  OF_STREAM_DEAD: entry(
    true,
    'The WebSocket connection went silent without closing',
    'Nothing: it is opened again.',
  ),
  OF_STREAM_SILENT: entry(
    true,
    'The stream sends nothing although the book changes',
    'Check that the symbol still trades and that the WebSocket base URL fits the market.',
  ),
  OF_SEQUENCE_GAP: entry(
    true,
    'Update ids are missing, so the book cannot be exact',
    'Nothing: the book is fetched anew.',
  ),
  OF_BOOK_BROKEN: entry(
    true,
    'The book is crossed, which a real book never is',
    'Nothing: the book is fetched anew.',
  ),
  OF_SNAPSHOT_STALE: entry(
    true,
    'The exchange sent a snapshot older than the buffered updates',
    'Nothing: it is asked again.',
  ),
  OF_SYNC_TIMEOUT: entry(
    true,
    'The book did not come into sync in time',
    'Check that the symbol trades, and look at the Feed Status of the trigger for the reason.',
  ),

  // Store
  OF_REDIS_CONNECT: entry(
    true,
    'Redis cannot be reached',
    'Check host, port and TLS of the Order Flow Redis credential, and that Redis runs.',
  ),
  OF_REDIS_AUTH: entry(
    false,
    'Redis refused user name or password',
    'Correct user and password in the Order Flow Redis credential.',
  ),
  OF_REDIS_PERMISSION: entry(
    false,
    'The Redis user may not run a command or touch a key that is needed',
    'Give the user the rights listed in docs/STORE.md, or use another user.',
  ),
  OF_REDIS_WRONG_TYPE: entry(
    false,
    'The key exists in Redis but holds something else than a snapshot',
    'Choose another Key Prefix, or delete the key.',
  ),
  OF_REDIS_MEMORY: entry(true, 'Redis is out of memory', 'Raise maxmemory or free memory in Redis.'),
  OF_REDIS_READ_ONLY: entry(
    true,
    'This Redis server is a read-only replica',
    'Point the credential at the primary server.',
  ),
  OF_REDIS_DISK: entry(
    true,
    'Redis cannot write to its disk and refuses changes',
    'Free disk space on the Redis server.',
  ),
  OF_REDIS_TIMEOUT: entry(
    true,
    'Redis did not answer in time',
    'Check the load and the connection of the Redis server.',
  ),
  OF_REDIS_ERROR: entry(
    true,
    'Redis answered with an error',
    'Read the message; if it persists check the Redis server.',
  ),
  OF_REDIS_CREDENTIAL: entry(
    false,
    'No usable Order Flow Redis credential',
    'Choose or create an Order Flow Redis credential in the node.',
  ),
  OF_RECORD_INVALID: entry(
    false,
    'The stored snapshot was not written by this package, or is damaged',
    'Check Key Prefix, and whether another program writes to the same key.',
  ),
  OF_RECORD_VERSION: entry(
    false,
    'The stored snapshot has a format version this package does not know',
    'Update n8n-nodes-orderflow in every n8n that shares this store.',
  ),
  OF_RECORD_TOO_LARGE: entry(
    false,
    'The stored snapshot is larger than any real one',
    'Check Key Prefix, and what else writes to the key.',
  ),

  // n8n
  OF_EXECUTION_TIMEOUT: entry(
    true,
    'A workflow execution did not end within the longest wait; the trigger goes on without it',
    'Make the workflow faster, or start it less often.',
  ),
  OF_ITEM_INVALID: entry(
    false,
    'The incoming item holds no order book that can be used',
    'Send items with bids and asks as lists of [price, quantity], or choose another source.',
  ),
  OF_RECORDING: entry(
    false,
    'The recording cannot be read',
    'Check the folder and the market: it needs events.ndjson (one depth event a line) and snapshot.json, each with or without .gz.',
  ),
  OF_INTERNAL: entry(
    false,
    'Something that should not happen',
    'Please report it; SECURITY.md and the README say how.',
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
