import { OrderFlowError } from '../../runtime/errors';
import { LatestEpoch, newestWord, WORD_TIMEOUT_MS, type Word } from './newestWord';
import { toRedisError } from './redisErrors';
import { RedisSession, type RedisCommand } from './redisSession';
import { serverName, type RedisAddress, type RedisSettings } from './redisSettings';

/** Asks the Sentinels which server is the primary one; keeps a connection to each. */
export class Sentinels {
  private readonly sessions = new Map<string, RedisSession>();
  private readonly closing = new AbortController();
  private readonly latest = new LatestEpoch();
  private known: RedisAddress | null = null;

  constructor(private readonly settings: RedisSettings) {}

  /**
   * The primary server by the word of a majority, or of all that answer within 2 seconds; by an earlier word where these
   * do not know of the failover yet.
   * @throws OrderFlowError of a Sentinel that could not be asked, OF_REDIS_MASTER_NAME, OF_REDIS_CREDENTIAL
   */
  async primary(): Promise<RedisAddress> {
    const { value, epoch } = await newestWord(this.settings.nodes.map((node) => this.ask(node)));
    if (this.latest.accepts(epoch) || this.known === null) this.known = value;
    return this.known;
  }

  /** Idempotent. */
  close(): void {
    this.closing.abort();
    for (const session of this.sessions.values()) session.destroy();
    this.sessions.clear();
  }

  private async ask(node: RedisAddress): Promise<Word<RedisAddress>> {
    const name = serverName(node);
    const { master } = this.settings.sentinel;
    const question = ['SENTINEL', 'MASTER', master];
    try {
      const reply = await (this.sessions.get(name)?.command(question) ?? this.open(node, name, question));
      return word(reply, name);
    } catch (raw) {
      const error = toRedisError(raw, { server: name, secrets: [] });
      if (error.code === 'OF_REDIS_COMMAND')
        throw new OrderFlowError('OF_REDIS_CREDENTIAL', noSentinel(name), { subject: name });
      if (!/No such master/i.test(error.message)) throw error;
      throw new OrderFlowError('OF_REDIS_MASTER_NAME', `${master} at ${name}`, { subject: name });
    }
  }

  /** @returns the reply to the question, with which the connection was opened */
  private async open(node: RedisAddress, name: string, question: RedisCommand): Promise<unknown> {
    const { user, password } = this.settings.sentinel;
    const settings = { ...this.settings, ...node, user, password, database: 0 };
    const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(WORD_TIMEOUT_MS)]);
    const ended = () => {
      if (this.sessions.get(name) === session) this.sessions.delete(name);
    };
    const session = await RedisSession.open(settings, signal, ended, WORD_TIMEOUT_MS, question);
    session.unref();
    if (this.closing.signal.aborted || session.ended !== null || this.sessions.has(name)) session.destroy();
    else this.sessions.set(name, session);
    return session.opened;
  }
}

/** It is for those who choose the wrong topology, and for those who type the port of the server beside the Sentinel. */
const noSentinel = (name: string): string =>
  `${name} is a Redis server and no Sentinel; choose Single Server as Topology, or Cluster for a node of one, or put the addresses of the Sentinels into Nodes`;

/** The reply is a flat list of names and values. */
function word(reply: unknown, name: string): Word<RedisAddress> {
  const parts = Array.isArray(reply) ? reply.map(String) : [];
  const value = (field: string) => parts[parts.findIndex((one, i) => i % 2 === 0 && one === field) + 1];
  const [host, port, epoch] = [value('ip'), Number(value('port')), Number(value('config-epoch')) || 0];
  if (parts.length === 0 || !host || !Number.isInteger(port))
    throw new OrderFlowError('OF_REDIS_ERROR', `${name} names no primary server`, { subject: name });
  // Who leads a failover names the old server, in the new epoch, until the other replicas follow the new one.
  const leads = value('flags').split(',').includes('failover_in_progress');
  return { value: { host, port }, epoch: leads ? epoch - 1 : epoch };
}
