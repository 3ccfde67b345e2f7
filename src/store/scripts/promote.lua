-- Puts a list that was built aside in the place of the serving one, unless the serving one is further. One whose
-- ledger was lost, and given back what it has, may be further: its positions are those of the lost ledger.
-- KEYS: meta, meta of the list built aside    ARGV: the list built aside; list and position that were given back
-- Answers: the position that was not reached (-1: it is gone), or nothing; the list that was replaced, or nothing.
local old = redis.call('HMGET', KEYS[1], 'list', 'position')
-- Repeated after a time-out: it serves already.
if old[1] == ARGV[1] then return { false, false } end
local built = redis.call('HMGET', KEYS[2], 'list', 'position')
if not built[1] then return { -1, false } end
local given = old[1] == ARGV[2] and old[2] == ARGV[3]
if old[1] and not given and tonumber(old[2]) > tonumber(built[2]) then return { tonumber(old[2]), false } end
redis.call('RENAME', KEYS[2], KEYS[1])
return { false, old[1] }
