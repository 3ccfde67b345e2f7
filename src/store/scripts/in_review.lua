-- Some requests in review of the serving list, the one that is due first in front.
-- KEYS: meta    ARGV: key prefix, highest score, how many are left out, how many at most
local list = redis.call('HGET', KEYS[1], 'list')
local reply = {}
if not list then return reply end
local base = ARGV[1] .. list .. ':'
local due = redis.call('ZRANGEBYSCORE', base .. 'due', '-inf', ARGV[2], 'LIMIT', ARGV[3], ARGV[4])
for i, request in ipairs(due) do reply[i] = redis.call('HGET', base .. 'review', request) end
return reply
