-- Applies one batch of the fold, all or nothing, if the list still stands where it was computed from.
-- Everything that could fail is tried before the first write: a script that fails midway is not rolled back.
-- KEYS: meta, feed, due    ARGV: list, position, last, key prefix, new position, oldest position kept in the feed,
--   entries kept in the feed, new revision, new last, feed changes, number of meta fields, field, value, ...,
--   number of requests in the due index, request, score, ... (no score deletes), then for each hash:
--   name, number of fields, field, value, ... (an empty value deletes)
local call, count = redis.call, #ARGV
local at = call('HMGET', KEYS[1], 'list', 'position', 'last')
if at[1] ~= ARGV[1] or at[2] ~= ARGV[2] or at[3] ~= ARGV[3] then return 0 end
local dues = 12 + 2 * tonumber(ARGV[11])
local first = dues + 1 + 2 * tonumber(ARGV[dues])
local i = first
while i <= count do
  call('HLEN', ARGV[4] .. ARGV[i])
  i = i + 2 + 2 * tonumber(ARGV[i + 1])
end
call('ZCARD', KEYS[3])
call('XADD', KEYS[2], ARGV[5] .. '-0', 'from', ARGV[2], 'before', ARGV[3], 'last', ARGV[9],
  'revision', ARGV[8], 'changes', ARGV[10])
i = first
while i <= count do
  local key, fields = ARGV[4] .. ARGV[i], tonumber(ARGV[i + 1])
  for j = i + 2, i + 2 * fields, 2 do
    if ARGV[j + 1] == '' then
      call('HDEL', key, ARGV[j])
    else
      call('HSET', key, ARGV[j], ARGV[j + 1])
    end
  end
  i = i + 2 + 2 * fields
end
for j = dues + 1, first - 2, 2 do
  if ARGV[j + 1] == '' then
    call('ZREM', KEYS[3], ARGV[j])
  else
    call('ZADD', KEYS[3], ARGV[j + 1], ARGV[j])
  end
end
for j = 12, dues - 2, 2 do call('HSET', KEYS[1], ARGV[j], ARGV[j + 1]) end
call('XTRIM', KEYS[2], 'MINID', '~', ARGV[6])
call('XTRIM', KEYS[2], 'MAXLEN', '~', ARGV[7])
return 1
