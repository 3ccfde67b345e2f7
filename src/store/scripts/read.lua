-- Reads fields of several hashes at one moment at which the list stands where it is expected to.
-- KEYS: meta    ARGV: list, position, last, key prefix, then for each read: hash, field ('' is all fields)
local call = redis.call
local at = call('HMGET', KEYS[1], 'list', 'position', 'last')
if at[1] ~= ARGV[1] or at[2] ~= ARGV[2] or at[3] ~= ARGV[3] then return false end
local reply = {}
for i = 5, #ARGV, 2 do
  local key, field = ARGV[4] .. ARGV[i], ARGV[i + 1]
  if field == '' then
    reply[(i - 3) / 2] = call('HGETALL', key)
  else
    reply[(i - 3) / 2] = call('HGET', key, field)
  end
end
return reply
