-- Publishes what several callers brought, each caller's messages all or none.
--
-- ARGV: wake channel, messages the partition may hold, the topic that is not held against it,
--       then for each caller: topic, how many, and for each message: tenant, payload, receipts, origin ('' without).
-- Answers for each caller 1, or 0 where there was no room.
--
-- Not allowed to run out of memory: at maxmemory Redis refuses it whole before it begins.

local channel, bound, unbounded = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local held = 0
for topic = 1, TOPICS do
  if topic ~= unbounded then
    held = held + redis.call('XLEN', KEYS[topic])
  end
end

local verdicts, noted = {}, {}
local at = 4
while ARGV[at] do
  local topic, messages = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  at = at + 2
  local counts = topic ~= unbounded and messages or 0
  local fits = counts == 0 or held + counts <= bound
  if fits then
    for first = at, at + 4 * (messages - 1), 4 do
      append(noted, topic, ARGV[first], ARGV[first + 1], ARGV[first + 2], ARGV[first + 3])
    end
    held = held + counts
  end
  at = at + 4 * messages
  verdicts[#verdicts + 1] = fits and 1 or 0
end

enter(noted, channel)
return verdicts
