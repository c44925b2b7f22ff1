import { AHEAD_MS, LATE_SAMPLE_MS } from '../../history/appendRule';
import { HISTORY_FIELD, HISTORY_FORMAT } from '../../history/encoding';
import { MAX_LEAD_MS } from '../saveRule';
import { CLOCK, script, SEEN } from './scripts';

/**
 * Adds a sample to a symbol's history and leaves out what is too old or too much, in one step. It decides what
 * history/appendRule.ts decides. An entry's id is the sample's time and its writer's epoch, so the newest entry says who
 * wrote last. ARGV: epoch, timeMs, for how long samples are kept (ms), most samples, sample.
 */
export const APPEND_HISTORY = script(`
${CLOCK}
local key, mine, at, keptFor, most = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
if at > now then at = now end
if now - at > ${LATE_SAMPLE_MS} then return 'late:0' .. ${SEEN} end
local newest = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
while newest do
  local ms, epoch = string.match(newest[1], '^(%d+)-(%d+)$')
  local version = newest[2][1] == '${HISTORY_FIELD}' and string.match(newest[2][2], '^(%d+),')
  if version and version ~= '${HISTORY_FORMAT}' then return 'version:' .. version end
  if not version or #epoch > 15 or #ms > 15 or tonumber(epoch) > now + ${MAX_LEAD_MS} then return 'foreign:0' end
  ms, epoch = tonumber(ms), tonumber(epoch)
  if mine < epoch then return 'fenced:' .. string.format('%.0f', epoch) .. ${SEEN} end
  if ms <= now + ${AHEAD_MS} then
    if at <= ms then return 'older:' .. string.format('%.0f', epoch) .. ${SEEN} end
    break
  end
  -- The clock was wrong when these were written. A stream takes no id below one that it had, so it is made again.
  local kept = redis.call('XREVRANGE', key, string.format('%.0f', now), '-')
  redis.call('PEXPIRE', key, 0)
  for i = #kept, 1, -1 do redis.call('XADD', key, kept[i][1], unpack(kept[i][2])) end
  newest = kept[1]
end
local id = string.format('%.0f', at) .. '-' .. ARGV[1]
if redis.call('XLEN', key) >= most then
  redis.call('XADD', key, 'MAXLEN', most, id, '${HISTORY_FIELD}', ARGV[5])
else
  redis.call('XADD', key, 'MINID', string.format('%.0f', at - keptFor), id, '${HISTORY_FIELD}', ARGV[5])
end
redis.call('PEXPIRE', key, keptFor)
return 'stored:' .. ARGV[1] .. ${SEEN}
`);
