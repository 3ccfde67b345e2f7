-- Writes one part of a campaign down: the first job of each index counts, as in domain/campaign.rs. Who finds the
-- campaign complete and not reported may publish its report, for as long as the claim lasts.
-- KEYS: the campaign, when each campaign is forgotten, since when each waits for parts
-- ARGV: the campaign's key, its name, who asks, length of the claim (ms), how long it is kept (ms), parts, index's
--   chunk, offset in the chunk, the job's mark, channel, brand, purpose, revision, filtered at, past send_until,
--   then for each region: its field, its place and sums
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', key, 'of', 'parts', 'channel', 'brand', 'purpose', 'revision', 'filtered', 'past',
  'reported', 'holder', 'until', ARGV[7])
local of, parts, chunk, offset = known[1] or ARGV[6], tonumber(known[2] or 0), known[12] or '', tonumber(ARGV[8])

local function standing()
  if known[9] then return 'reported' end
  if parts < tonumber(of) then return 'incomplete' end
  if known[10] and known[10] ~= ARGV[3] and tonumber(known[11]) > now then return 'others' end
  redis.call('HSET', key, 'holder', ARGV[3], 'until', now + tonumber(ARGV[4]))
  return 'mine'
end

-- Four bytes a part, all 0 while it is not in.
local there = string.sub(chunk, offset + 1, offset + 4)
if there == '\0\0\0\0' then there = '' end
if of ~= ARGV[6] or (there ~= '' and there ~= ARGV[9]) then
  redis.call('HINCRBY', key, 'conflicts', 1)
  return { 'conflicting', 'incomplete' }
end
if there ~= '' then return { 'repeated', standing() } end

-- A region's place is the lowest, the numbers after it are summed up; all are far below 2^53, so doubles are exact.
local EIGHT = '<I8I8I8I8I8I8I8I8'
local function sum(before, more)
  local a1, a2, a3, a4, a5, a6, a7, a8 = struct.unpack(EIGHT, before)
  local b1, b2, b3, b4, b5, b6, b7, b8 = struct.unpack(EIGHT, more)
  return struct.pack(EIGHT, math.min(a1, b1), a2 + b2, a3 + b3, a4 + b4, a5 + b5, a6 + b6, a7 + b7, a8 + b8)
end

-- What parts differ in is empty, and stays so.
local function common(i)
  return known[1] and known[i] ~= ARGV[7 + i] and '' or ARGV[7 + i]
end

if not known[1] then
  redis.call('HSET', key, 'name', ARGV[2], 'of', of, 'began', now, 'conflicts', 0)
  redis.call('ZADD', KEYS[3], now, ARGV[1])
end
parts = parts + 1
chunk = chunk .. string.rep('\0', offset - #chunk)
chunk = string.sub(chunk, 1, offset) .. ARGV[9] .. string.sub(chunk, offset + 5)
local lower = not known[6] or tonumber(ARGV[13]) < tonumber(known[6])
local later = not known[7] or tonumber(ARGV[14]) > tonumber(known[7])
redis.call('HSET', key, 'parts', parts, ARGV[7], chunk, 'last', now,
  'channel', common(3), 'brand', common(4), 'purpose', common(5),
  'revision', lower and ARGV[13] or known[6], 'filtered', later and ARGV[14] or known[7],
  'past', known[8] == '1' and '1' or ARGV[15])
for i = 16, #ARGV, 2 do
  local before = redis.call('HGET', key, ARGV[i])
  redis.call('HSET', key, ARGV[i], before and sum(before, ARGV[i + 1]) or ARGV[i + 1])
end
redis.call('PEXPIRE', key, ARGV[5])
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[5]), ARGV[1])
return { 'counted', standing() }
