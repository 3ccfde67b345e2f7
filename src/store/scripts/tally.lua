-- The requests in review of the serving list in numbers: by source, how many are overdue, and the first score.
-- KEYS: meta    ARGV: key prefix, now as a score
local meta = redis.call('HMGET', KEYS[1], 'list', 'reviews')
if not meta[1] then return { '', 0, false } end
local due = ARGV[1] .. meta[1] .. ':due'
local first = redis.call('ZRANGEBYSCORE', due, '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return { meta[2] or '', redis.call('ZCOUNT', due, '-inf', '(' .. ARGV[2]), first[2] or false }
