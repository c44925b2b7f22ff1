/**
 * Every error this package makes, in one table: a stable code, whether trying again can help, and what the
 * user should do. `docs/ERRORS.md` lists exactly these codes; a test compares the two.
 */
export interface CatalogueEntry {
  /** Can the same request succeed later without anyone changing anything? */
  readonly retryable: boolean;
  /** True where trying again helps only after an action outside n8n: until then it stays down. */
  readonly needsAction?: boolean;
  /** What happened, in a few words. */
  readonly summary: string;
  /** What the user should do. */
  readonly remedy: string;
  /** Does the detail name the field and say what is wrong with it, so that the summary in front would say it twice? */
  readonly detailIsMessage: boolean;
}

const entry = (
  retryable: boolean,
  summary: string,
  remedy: string,
  detailIsMessage = false,
): CatalogueEntry => ({ retryable, summary, remedy, detailIsMessage });

/** A retry succeeds once the cause has been removed, and not before. */
const untilMended = (summary: string, remedy: string): CatalogueEntry => ({
  ...entry(true, summary, remedy),
  needsAction: true,
});

export const ERROR_CATALOGUE = {
  // Parameters
  OF_PARAMETER: entry(
    false,
    'A parameter has a value that cannot be used',
    'Correct the field named in the message.',
    true,
  ),
  OF_BASE_URL: entry(
    false,
    'A custom base URL cannot be used',
    'Use http(s):// for REST and ws(s):// for WebSocket, without user name or password, for example https://data-api.binance.vision.',
    true,
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
  OF_CONTRACT_CLOSED: entry(
    false,
    'This contract is being delivered, has been delivered or is not open for trading',
    'Choose a contract that trades, such as a perpetual one; the list of symbols shows them.',
  ),
  OF_WRONG_ADDRESS: entry(
    false,
    'The server does not offer what Binance offers at this address',
    'Correct REST Base URL or WebSocket Base URL in Options: scheme and host, and the path of a reverse proxy where there is one. An empty field means the address of the market itself.',
  ),
  OF_RESTRICTED_LOCATION: entry(
    false,
    'The exchange refuses requests from this location (HTTP 451)',
    'Set the base URLs in Options to the market-data-only hosts (https://data-api.binance.vision and wss://data-stream.binance.vision), choose the market Binance.US, or set HTTPS_PROXY to a proxy in a location the exchange serves.',
  ),
  OF_FIREWALL: entry(
    true,
    'A firewall in front of the exchange refused the request (HTTP 403)',
    'This often passes within minutes. If it lasts, check the proxy and the base URL, and use fewer symbols.',
  ),
  OF_RATE_LIMITED: entry(
    true,
    'The exchange asks for fewer requests (HTTP 429)',
    'The package waits as long as the exchange asks for. If this repeats, use fewer symbols, or find out which other programs behind the same IP address send requests.',
  ),
  OF_BANNED: entry(
    true,
    'The exchange has banned this IP address for a while (HTTP 418)',
    'The package waits until the ban ends. Find out what else behind this IP address sends too many requests.',
  ),
  OF_WEIGHT_EXHAUSTED: entry(
    true,
    'The request weight that the exchange allows is used up for the moment',
    'The trigger waits for its turn; run a check again in a minute. Fewer symbols or a smaller Book Depth need less weight.',
  ),
  OF_HTTP_STATUS: entry(
    true,
    'The exchange answered with an unexpected HTTP status',
    'This often passes by itself. If it lasts, check the base URL.',
  ),
  OF_HTTP_REDIRECT: entry(
    false,
    'The server redirects to another address',
    'Set the base URL to the final address; redirects are not followed.',
  ),
  OF_BAD_RESPONSE: entry(
    true,
    'The reply is not what the exchange documents',
    'This often passes by itself. If it lasts, check that the base URL belongs to the exchange and that no proxy changes its replies.',
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
    'Check the host name; for a certificate authority of your own set NODE_EXTRA_CA_CERTS (exchange), or Certificate Authority and TLS Server Name of the credential (Redis).',
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
    'A message from the exchange cannot be read',
    'The trigger fetches the book again. If this repeats, check that no proxy changes what the exchange sends.',
  ),
  OF_FRAME_TOO_LARGE: entry(
    true,
    'A message from the exchange is larger than any real one',
    'Check that the base URL belongs to the exchange.',
  ),
  OF_STREAM_REFUSED: entry(
    true,
    'The exchange refused the WebSocket connection',
    'This often passes by itself. If it lasts, check the base URL.',
  ),
  OF_SYMBOL_REFUSED: entry(
    true,
    'The exchange refuses the stream of this symbol',
    'Check the spelling of the symbol and that it belongs to the chosen market. The trigger asks for it again every few minutes.',
  ),
  OF_STREAM_CLOSED: entry(
    true,
    'The WebSocket connection to the exchange was closed',
    'The trigger connects again. If this repeats, check the network connection and the proxy.',
  ),
  OF_STREAM_DEAD: entry(
    true,
    'The WebSocket connection went silent without closing',
    'The trigger connects again. If this repeats, check the network connection and the proxy.',
  ),
  OF_STREAM_SILENT: entry(
    true,
    'The stream sends nothing although the book changes',
    'Check that the symbol still trades and that the WebSocket base URL fits the market.',
  ),
  OF_SEQUENCE_GAP: entry(
    true,
    'Updates are missing, so the book cannot be exact',
    'The trigger fetches the book again. If this repeats, check the network connection.',
  ),
  OF_BOOK_BROKEN: entry(
    true,
    'The best bid is above the best ask, which a real book never shows',
    'The trigger fetches the book again. If this repeats, check that the base URL belongs to the exchange.',
  ),
  OF_SNAPSHOT_STALE: entry(
    true,
    'The exchange sent a book that is older than its updates',
    'The trigger asks for the book again. If this repeats, check that the REST and the WebSocket base URL belong together.',
  ),
  OF_SYNC_TIMEOUT: entry(
    true,
    'The order book did not come into sync in time',
    'Check that the symbol trades; Order Flow Data shows why its feed is not live.',
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
    'A Redis key that this package needs holds a value of another type',
    'Choose another Key Prefix, or delete the key.',
  ),
  OF_REDIS_PROTECTED: entry(
    false,
    'Redis is in protected mode and refuses other machines',
    'On the server set a password (requirepass) and enter it in the Order Flow Redis credential, or, in a closed network, set protected-mode to no.',
  ),
  OF_REDIS_TLS: entry(
    false,
    'The credential and the Redis server do not agree on TLS',
    'Switch TLS on in the Order Flow Redis credential where the port expects it, and off where it does not.',
  ),
  OF_REDIS_CLIENT_CERTIFICATE: entry(
    false,
    'Redis asks for a client certificate, or does not accept the one it was given',
    'Put a certificate and its key, from an authority that the server trusts, into Client Certificate and Client Key of the Order Flow Redis credential.',
  ),
  OF_REDIS_SENTINEL: entry(
    false,
    'This is the port of a Redis Sentinel, which holds no data',
    'Choose Sentinel as Topology in the Order Flow Redis credential, or give it the address of the primary server.',
  ),
  OF_REDIS_MASTER_NAME: entry(
    false,
    'The Sentinel does not know a master of this name',
    'Correct Master Name in the Order Flow Redis credential; SENTINEL MASTERS lists the names.',
  ),
  OF_REDIS_CLUSTER: entry(
    false,
    'This Redis server is one node of a cluster and does not hold every key',
    'Choose Cluster as Topology in the Order Flow Redis credential, and put some of its nodes into Nodes.',
  ),
  OF_REDIS_CLUSTER_DOWN: entry(
    true,
    'The Redis Cluster does not serve this key at the moment',
    'It is tried again by itself. If it lasts, check that every slot of the cluster has a running primary.',
  ),
  OF_REDIS_BUSY: entry(
    true,
    'Redis cannot answer yet, since it loads its data or runs a long script',
    'It is tried again by itself. If it lasts for minutes, look at the log of the Redis server.',
  ),
  OF_REDIS_DATABASE: entry(
    false,
    'Redis has no database with this number',
    'Correct Database Number in the Order Flow Redis credential; 0 always exists.',
  ),
  OF_REDIS_COMMAND: entry(
    false,
    'The server does not know a command that is needed',
    'Use Redis 6.2 or later, or Valkey. A proxy in front of it, or rename-command, has to leave the commands listed in docs/STORE.md as they are.',
  ),
  OF_REDIS_MEMORY: untilMended('Redis is out of memory', 'Raise maxmemory or free memory in Redis.'),
  OF_REDIS_READ_ONLY: untilMended(
    'This Redis server is a read-only replica',
    'Point the credential at the primary server.',
  ),
  OF_REDIS_NO_REPLICAS: untilMended(
    'Redis refuses to write while too few replicas are connected',
    'Bring the replicas back, or lower min-replicas-to-write on the Redis server.',
  ),
  OF_REDIS_DISK: untilMended(
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
    'The answer is in the message. If it lasts, check the Redis server.',
  ),
  OF_REDIS_CREDENTIAL: entry(
    false,
    'No usable Order Flow Redis credential',
    'Choose an Order Flow Redis credential in the node, and correct the field that the message names.',
  ),
  OF_RECORD_INVALID: entry(
    false,
    'The stored snapshot was not written by this package, or is damaged',
    'Check Key Prefix, and which other program writes to this key.',
  ),
  OF_RECORD_VERSION: entry(
    false,
    'The stored snapshot has a format version this package does not know',
    'Update n8n-nodes-orderflow in every n8n that shares this store.',
  ),
  OF_RECORD_TOO_LARGE: entry(
    false,
    'The stored snapshot is larger than any real one',
    'Check Key Prefix, and which other program writes to this key.',
  ),

  // n8n
  OF_EXECUTION_TIMEOUT: entry(
    true,
    'A workflow execution did not end within the time that is usual for this workflow; the trigger goes on without it',
    'Look in the list of executions whether it still runs. If it does, make the workflow faster, or set a larger Longest Wait for an Execution.',
  ),
  OF_ITEM_INVALID: entry(
    false,
    'The incoming item holds no order book that can be used',
    'Send items with bids and asks as lists of [price, quantity], or choose another source.',
  ),
  OF_CHART: entry(
    true,
    'The chart could not be drawn',
    'Run it again, with fewer charts at once. If it lasts, set Format to SVG, and report it with this message.',
  ),
  OF_RECORDING: entry(
    false,
    'The recording cannot be read',
    'Check the folder and the market: it needs events.ndjson (one depth event a line) and snapshot.json, each with or without .gz.',
  ),
  OF_INTERNAL: entry(
    false,
    'An unexpected error inside this package',
    'Report it with this message; the README says where.',
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
