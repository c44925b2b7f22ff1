import { createHash } from 'node:crypto';
import { FEED_STATUS_FRESH_MS, FUTURE_TOLERANCE_MS } from './saveRule';

/**
 * The scripts that make a write atomic, each on one key. They decide what saveRule.ts decides. Heads are read with a
 * pattern from the first bytes: decoding the whole JSON would cost ten times the rest.
 */
export interface StoreScript {
  readonly source: string;
  readonly sha: string;
}

const script = (source: string): StoreScript => ({
  source,
  sha: createHash('sha1').update(source).digest('hex'),
});

const CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local clock = ':' .. string.format('%.0f', now)
local function issued(at)
  at = tonumber(at)
  if at < now then return at end
  return now
end
`;

/**
 * Reads the record's head into epoch, id, liveAt, state, levels (nil without a record). Digits are capped so that
 * every number stays exact. A value that is not ours is never overwritten: it may be somebody's.
 */
const HEAD = `
local key = KEYS[1]
local head = redis.call('GETRANGE', key, 0, 159)
local epoch, id, liveAt, state, levels
if head ~= '' then
  local e, i, l, s, n = string.match(head, '^{"format":1,"epoch":(%d+),"lastUpdateId":(%d+),"liveAtMs":(%d+),"state":"(%a+)","levels":(%d+),"')
  if not e or #e > 15 or #i > 16 or #l ~= 13 or #n > 9 then
    local version = string.match(head, '^{"format":(%d+)[,}]')
    if version and version ~= '1' then return 'version:' .. version end
    return 'foreign:0'
  end
  epoch, id, liveAt, state, levels = tonumber(e), tonumber(i), tonumber(l), s, tonumber(n)
end
`;

const SET_LIVE_AT = `
local function heartbeat(at, ttl)
  -- Within an epoch what was known does not become unknown; a time ahead of the clock is not believed.
  if at < liveAt then at = liveAt end
  if at > now then at = now end
  local _, last = string.find(head, '"liveAtMs":', 1, true)
  redis.call('SETRANGE', key, last, string.format('%.0f', at))
  redis.call('PEXPIRE', key, ttl)
end
`;

/**
 * ARGV: tenure, epoch, lastUpdateId, liveAgeMs, levels, ttlMs, takeoverMs, tail of the record, issuedAtMs (the store's
 * clock when the request was made: one that waited in a socket of a stopped server must not look like news).
 */
export const SAVE = script(`
${CLOCK}${HEAD}${SET_LIVE_AT}
local tenure, asked, newId, liveAge, newLevels = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local at = issued(ARGV[9]) - liveAge
local mine = asked
local function after(base)
  if now > base + 1 then return now end
  return base + 1
end
if epoch then
  local age = now - liveAt
  local recent = age >= -${FUTURE_TOLERANCE_MS} and age < tonumber(ARGV[7])
  local refusal
  if tenure == 'hold' then
    if asked < epoch then
      refusal = 'fenced:'
    elseif asked == epoch then
      if newId < id then
        refusal = 'older:'
      elseif newId == id and newLevels == levels and state == 'live' then
        heartbeat(at, ARGV[6])
        refusal = 'heartbeat:'
      elseif at < liveAt and liveAt <= now then
        at = liveAt
      end
    end
  elseif tenure == 'renew' then
    if asked < epoch then refusal = 'fenced:' else mine = after(asked) end
  elseif tenure == 'claim' then
    if recent and state == 'live' and newLevels < levels then refusal = 'deferred:' else mine = after(epoch) end
  else
    if recent and state ~= 'stopped' then refusal = 'fenced:' else mine = after(epoch) end
  end
  if refusal then return refusal .. string.format('%.0f', epoch) .. clock end
elseif tenure ~= 'hold' then
  mine = after(asked)
end
local text = string.format('%.0f', mine)
redis.call('SET', key, '{"format":1,"epoch":' .. text .. ',"lastUpdateId":' .. ARGV[3] .. ',"liveAtMs":' .. string.format('%.0f', at) ..
  ',"state":"live","levels":' .. ARGV[5] .. ',' .. ARGV[8], 'PX', ARGV[6])
return 'saved:' .. text .. clock
`);

/** ARGV: epoch, lastUpdateId, liveAgeMs, ttlMs, issuedAtMs. */
export const HEARTBEAT = script(`
${CLOCK}${HEAD}${SET_LIVE_AT}
if not epoch then return 'missing:0' end
local asked, askedId, outcome = tonumber(ARGV[1]), tonumber(ARGV[2]), 'missing:'
if asked < epoch then
  outcome = 'fenced:'
elseif asked == epoch then
  if askedId < id then
    outcome = 'older:'
  elseif askedId == id and state == 'live' then
    heartbeat(issued(ARGV[5]) - tonumber(ARGV[3]), ARGV[4])
    outcome = 'heartbeat:'
  end
end
return outcome .. string.format('%.0f', epoch) .. clock
`);

/** ARGV: epoch, state. Without ARGV it changes nothing and tells whether the key can be used. */
export const MARK = script(`
${HEAD}
if not epoch then return 'missing:0' end
if #ARGV == 0 then return 'missing:' .. string.format('%.0f', epoch) end
local asked, outcome = tonumber(ARGV[1]), 'missing:'
if asked < epoch then
  outcome = 'fenced:'
elseif asked == epoch then
  outcome = 'marked:'
  if state ~= ARGV[2] then
    local value = redis.call('GET', key)
    local first, last = string.find(value, '"state":"%a+"')
    redis.call('SET', key, string.sub(value, 1, first - 1) .. '"state":"' .. ARGV[2] .. '"' .. string.sub(value, last + 1), 'KEEPTTL')
  end
end
return outcome .. string.format('%.0f', epoch)
`);

/** ARGV: writer, state, tail, ttlMs, issuedAtMs. 0: another writer's live status is fresh and this one is not live. */
export const FEED_STATUS = script(`
${CLOCK}
local key = KEYS[1]
if ARGV[2] ~= 'live' then
  local at, writer, state = string.match(redis.call('GETRANGE', key, 0, 159), '^{"format":1,"writtenAtMs":(%d+),"writer":"(%w+)","state":"([%a-]+)"')
  if at and writer ~= ARGV[1] and state == 'live' then
    local age = now - tonumber(at)
    if age >= -${FUTURE_TOLERANCE_MS} and age < ${FEED_STATUS_FRESH_MS} then return 0 end
  end
end
redis.call('SET', key, '{"format":1,"writtenAtMs":' .. string.format('%.0f', issued(ARGV[5])) .. ',"writer":"' .. ARGV[1] .. '","state":"' .. ARGV[2] .. '",' .. ARGV[3], 'PX', ARGV[4])
return 1
`);

/** ARGV: expected version, value as JSON, ttlMs. Versions never repeat, also when the state expired in between. */
export const STORE_STATE = script(`
${CLOCK}
local key = KEYS[1]
local head = redis.call('GETRANGE', key, 0, 127)
local version = 0
if head ~= '' then
  local found = string.match(head, '^{"format":1,"version":(%d+),"writtenAtMs":%d+,"value":')
  if not found or #found > 15 then return 'foreign:0' end
  version = tonumber(found)
end
if version ~= tonumber(ARGV[1]) then return 0 end
local following = version + 1
if now > following then following = now end
redis.call('SET', key, '{"format":1,"version":' .. string.format('%.0f', following) .. ',"writtenAtMs":' .. string.format('%.0f', now) .. ',"value":' .. ARGV[2] .. '}', 'PX', ARGV[3])
return 1
`);
