-- How many campaigns wait for parts, and since when the first does; strikes out some of those that are forgotten.
-- KEYS: when each campaign is forgotten, since when each waits for parts    ARGV: how many are struck out at most
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, campaign in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  redis.call('ZREM', KEYS[1], campaign)
  redis.call('ZREM', KEYS[2], campaign)
end
local first = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return { redis.call('ZCARD', KEYS[2]), first[2] or false }
