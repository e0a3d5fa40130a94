-- Makes a group of a stream known, from the oldest message kept.
--
-- KEYS: stream, its book of what was accepted, the group's book of what is settled. ARGV: group.

local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err then
  if string.find(made.err, 'BUSYGROUP', 1, true) then
    return 0
  end
  return made
end

-- What was trimmed before its time is none of its backlog.
redis.call('DEL', KEYS[3])
local left = kept(KEYS[1], KEYS[2])
for tenant, receipts in pairs(by_name(redis.call('HGETALL', KEYS[2]))) do
  local gone = tonumber(receipts) - (left[tenant] or 0)
  if gone > 0 then
    redis.call('HSET', KEYS[3], tenant, gone)
  end
end
return 1
