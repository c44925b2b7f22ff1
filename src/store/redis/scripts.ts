import { createHash } from 'node:crypto';
import {
  CLAIM_SLACK_MS,
  EPOCH_TIE_MS,
  FEED_STATUS_FRESH_MS,
  FUTURE_TOLERANCE_MS,
  LATE_CLAIM_MS,
  MAX_LEAD_MS,
  MAX_SAVE_EVERY_MS,
} from '../saveRule';

/**
 * The scripts that make a write atomic, each on one key. They decide what saveRule.ts decides. Heads are read with a
 * pattern from the first bytes: decoding the whole JSON would cost ten times the rest.
 */
export interface StoreScript {
  readonly source: string;
  readonly sha: string;
}

export const script = (source: string): StoreScript => ({
  source,
  sha: createHash('sha1').update(source).digest('hex'),
});

export const CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** What a reply ends with: the server's clock, as TIME gave it. */
export const SEEN = `':' .. time[1] .. ':' .. time[2]`;

/**
 * Reads the record's head into epoch, id, liveAt, state, levels (nil without a record). Digits are capped so that
 * every number stays exact. A value that is not ours is never overwritten: another program may need it.
 */
const HEAD = `${CLOCK}
local key = KEYS[1]
local head = redis.call('GETRANGE', key, 0, 159)
local epoch, id, liveAt, state, levels
if head ~= '' then
  local e, i, l, s, n = string.match(head, '^{"format":1,"epoch":(%d+),"lastUpdateId":(%d+),"liveAtMs":(%d+),"state":"(%a+)","levels":(%d+),"')
  if not e or #e > 15 or tonumber(e) > now + ${MAX_LEAD_MS} or #i > 16 or #l ~= 13 or #n > 9 then
    local version = string.match(head, '^{"format":(%d+)[,}]')
    if version and version ~= '1' then return 'version:' .. version end
    return 'foreign:0'
  end
  epoch, id, liveAt, state, levels = tonumber(e), tonumber(i), tonumber(l), s, tonumber(n)
end
`;

/** Moves the record's time to `at` in place: as many digits as there were. */
const SET_LIVE_AT = `
-- Within an epoch what was known does not become unknown; a time ahead of the clock is not believed.
if at < liveAt then at = liveAt end
if at > now then at = now end
local _, last = string.find(head, '"liveAtMs":', 1, true)
redis.call('SETRANGE', key, last, string.format('%.0f', at))
redis.call('PEXPIRE', key, ttl)
`;

/**
 * ARGV: role, epoch, lastUpdateId, liveAtMs, levels, ttlMs, takeoverMs, the whole record, length of its head,
 * issuedAtMs. Times are the writer's idea of the store's clock when it made the request, so that a request that waited
 * in a socket of a stopped server does not look new. The holder's record is stored as it came, which is the hot
 * path: building it here would cost as much as all the rest.
 */
export const SAVE = script(`
${HEAD}
local role, asked, at, issued, ttl, text = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[10]), ARGV[6], ARGV[2]
local asCame = role == 'hold'
if issued > now then
  at = at - issued + now
  asCame = false
end
if epoch and role == 'hold' then
  if asked < epoch then return 'fenced:' .. string.format('%.0f', epoch) .. ${SEEN} end
  if asked == epoch then
    local newId = tonumber(ARGV[3])
    if newId < id then return 'older:' .. text .. ${SEEN} end
    if newId == id and state == 'live' and tonumber(ARGV[5]) == levels then
      ${SET_LIVE_AT}
      return 'heartbeat:' .. text .. ${SEEN}
    end
    if at < liveAt and liveAt <= now then
      at = liveAt
      asCame = false
    end
  end
elseif role ~= 'hold' then
  if role ~= 'renew' and now - issued > ${LATE_CLAIM_MS} then return 'late:' .. string.format('%.0f', epoch or 0) .. ${SEEN} end
  local mine = asked
  if epoch then
    local age, refusal = now - liveAt, nil
    local period = tonumber(string.match(head, ',"saveEveryMs":(%d+),') or 0)
    local patience = math.max(tonumber(ARGV[7]), 2 * math.min(period, ${MAX_SAVE_EVERY_MS}))
    local recent = age >= -${FUTURE_TOLERANCE_MS} and age < patience
    if role == 'renew' then
      if asked < epoch then refusal = 'fenced:' end
    elseif (epoch <= now and epoch > issued + ${EPOCH_TIE_MS}) or (age >= 0 and age < now - issued - ${CLAIM_SLACK_MS}) then
      refusal = 'late:'
    elseif role == 'claim' then
      if recent and state == 'live' and tonumber(ARGV[5]) < levels then refusal = 'deferred:' end
      mine = epoch
    else
      if recent and state ~= 'stopped' then refusal = 'fenced:' end
      mine = epoch
    end
    if refusal then return refusal .. string.format('%.0f', epoch) .. ${SEEN} end
  end
  mine = mine + 1
  if now > mine then mine = now end
  text = string.format('%.0f', mine)
end
if asCame then
  redis.call('SET', key, ARGV[8], 'PX', ttl)
else
  redis.call('SET', key, '{"format":1,"epoch":' .. text .. ',"lastUpdateId":' .. ARGV[3] .. ',"liveAtMs":' .. string.format('%.0f', at) ..
    ',"state":"live","levels":' .. ARGV[5] .. ',' .. string.sub(ARGV[8], ARGV[9] + 1), 'PX', ttl)
end
return 'saved:' .. text .. ${SEEN}
`);

/** ARGV: epoch, lastUpdateId, liveAtMs, ttlMs, issuedAtMs. */
export const HEARTBEAT = script(`
${HEAD}
if not epoch then return 'missing:0' end
local asked, askedId, ttl, outcome = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[4], 'missing:'
if asked < epoch then
  outcome = 'fenced:'
elseif asked == epoch then
  if askedId < id then
    outcome = 'older:'
  elseif askedId == id and state == 'live' then
    local at, issued = tonumber(ARGV[3]), tonumber(ARGV[5])
    if issued > now then at = at - issued + now end
    ${SET_LIVE_AT}
    outcome = 'heartbeat:'
  end
end
return outcome .. string.format('%.0f', epoch) .. ${SEEN}
`);

/** ARGV: epoch, state. Without ARGV it changes nothing and says whether the key can be used. */
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
local key, at = KEYS[1], tonumber(ARGV[5])
if at > now then at = now end
if ARGV[2] ~= 'live' then
  local since, writer, state = string.match(redis.call('GETRANGE', key, 0, 159), '^{"format":1,"writtenAtMs":(%d+),"writer":"(%w+)","state":"([%a-]+)"')
  if since and writer ~= ARGV[1] and state == 'live' then
    local age = now - tonumber(since)
    if age >= -${FUTURE_TOLERANCE_MS} and age < ${FEED_STATUS_FRESH_MS} then return 0 end
  end
end
redis.call('SET', key, '{"format":1,"writtenAtMs":' .. string.format('%.0f', at) .. ',"writer":"' .. ARGV[1] .. '","state":"' .. ARGV[2] .. '",' .. ARGV[3], 'PX', ARGV[4])
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
  if not found or #found > 15 or tonumber(found) > now + ${MAX_LEAD_MS} then return 'foreign:0' end
  version = tonumber(found)
end
if version ~= tonumber(ARGV[1]) then return 0 end
local following = version + 1
if now > following then following = now end
redis.call('SET', key, '{"format":1,"version":' .. string.format('%.0f', following) .. ',"writtenAtMs":' .. string.format('%.0f', now) .. ',"value":' .. ARGV[2] .. '}', 'PX', ARGV[3])
return 1
`);
