-- Reads fields of several hashes at one moment at which the list stands where it is expected to.
-- KEYS: meta    ARGV: list, position, last, key prefix, then for each read: hash, field ('' is all fields)
local at = redis.call('HMGET', KEYS[1], 'list', 'position', 'last')
if at[1] ~= ARGV[1] or at[2] ~= ARGV[2] or at[3] ~= ARGV[3] then return false end
local reply = {}
for i = 5, #ARGV, 2 do
  local key = ARGV[4] .. ARGV[i]
  if ARGV[i + 1] == '' then
    reply[#reply + 1] = redis.call('HGETALL', key)
  else
    reply[#reply + 1] = redis.call('HGET', key, ARGV[i + 1])
  end
end
return reply
