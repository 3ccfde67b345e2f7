-- The barrier: writes, so that a replica and a primary without its replicas refuse, and reads at the same
-- moment who this is, where the list stands, this worker's fence, and the outcomes of some events.
-- KEYS: meta, barriers    ARGV: worker, key prefix, then for each event: bucket, field
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
-- What was evicted is missing without a trace, and the list cannot be proven whole by what is still there.
if string.match(redis.call('INFO', 'stats'), 'evicted_keys:(%d+)') ~= '0' then
  return redis.error_reply('EVICTED keys are missing')
end
local meta = redis.call('HMGET', KEYS[1], 'list', 'position', 'revision', 'last', 'fold', 'keys', 'calendars',
  'retired')
redis.call('HINCRBY', KEYS[2], 'taken', 1)
local time = redis.call('TIME')
local reply = { run_id, replid, time[1], time[2] }
for i = 1, 8 do reply[4 + i] = meta[i] end
if meta[1] then
  local base = ARGV[2] .. meta[1] .. ':'
  reply[13] = redis.call('HGET', base .. 'fences', ARGV[1])
  for i = 3, #ARGV, 2 do reply[#reply + 1] = redis.call('HGET', base .. ARGV[i], ARGV[i + 1]) end
end
return reply
