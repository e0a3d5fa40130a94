-- Publishes messages, all or none.
--
-- ARGV: wake channels' beginning, partition, messages the partition may hold, the topic that is not held against it,
--       topic, then for each message: tenant, payload, receipts, origin ('' without).
-- Answers 1, or 0 where there was no room.
--
-- Not allowed to run out of memory: at maxmemory Redis refuses it whole before it begins.

local channel, partition, bound, unbounded = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local topic, first = tonumber(ARGV[5]), 6

if topic ~= unbounded then
  local held = (#ARGV + 1 - first) / 4
  for counted = 1, TOPICS do
    if counted ~= unbounded then
      held = held + redis.call('XLEN', KEYS[counted])
    end
  end
  if held > bound then
    return 0
  end
end

local noted = {}
for at = first, #ARGV, 4 do
  append(noted, topic, ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
end
enter(noted, channel, partition)
return 1
