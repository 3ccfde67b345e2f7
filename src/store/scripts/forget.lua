-- Forgets a campaign.
-- KEYS: the campaign, when each campaign is forgotten, since when each waits for parts    ARGV: the campaign's key
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return redis.call('UNLINK', KEYS[1])
