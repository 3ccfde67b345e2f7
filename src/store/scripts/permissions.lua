-- Which of some commands the user may not run, by their places. None of them is run, and nothing is written.
-- ARGV: for each command: how many words it has, its words
local refused, place, i = {}, 0, 1
while i <= #ARGV do
  local words = tonumber(ARGV[i])
  place = place + 1
  -- An error means that this server has no such command.
  local known, may = pcall(redis.acl_check_cmd, unpack(ARGV, i + 1, i + words))
  if not known or not may then refused[#refused + 1] = place end
  i = i + 1 + words
end
return refused
