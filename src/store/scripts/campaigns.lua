-- Some campaigns of an index, the lowest score in front: what is known of each but its parts and sums.
-- KEYS: the index    ARGV: key prefix of campaigns, lowest score, how many are left out, how many at most, fields
local found = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], '+inf', 'LIMIT', ARGV[3], ARGV[4])
local reply = {}
for i, campaign in ipairs(found) do
  local ask = { 'HMGET', ARGV[1] .. campaign }
  for j = 5, #ARGV do ask[#ask + 1] = ARGV[j] end
  reply[i] = redis.call(unpack(ask))
end
return reply
