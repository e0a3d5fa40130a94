-- Takes deliveries off a group's hands, publishes what they lead to, and deletes what no group needs any more.
--
-- KEYS[13]: the group's book of what is settled.
-- ARGV: wake channels' beginning, partition, group, topic, then for each settlement: id, tenant, receipts, how many
--       outputs, and for each of them: topic, tenant, payload, receipts, origin ('' without).

local channel, partition, group, topic = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

-- Deletes below the lowest message that any group still needs. A stream without groups keeps everything.
local function trim(stream)
  local lowest, low_time, low_number
  for _, known in ipairs(groups_of(stream)) do
    local id, after = known['last-delivered-id'], 1
    if known['pending'] > 0 then
      id, after = redis.call('XPENDING', stream, known['name'])[2], 0
    end
    local time, number = string.match(id, '^(%d+)-(%d+)$')
    local at_time, at_number = tonumber(time), tonumber(number) + after
    if not lowest or at_time < low_time or (at_time == low_time and at_number < low_number) then
      lowest, low_time, low_number = string.format('%s-%.0f', time, at_number), at_time, at_number
    end
  end
  if lowest then
    redis.call('XTRIM', stream, 'MINID', '=', lowest)
  end
end

local settled, noted = {}, {}
local at = 5
while ARGV[at] do
  local id, tenant, receipts, outputs = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  at = at + 4
  -- Not acknowledged: somebody was faster, and has published what follows.
  if redis.call('XACK', KEYS[topic], group, id) == 1 then
    settled[tenant] = (settled[tenant] or 0) + receipts
    for first = at, at + 5 * (outputs - 1), 5 do
      append(noted, tonumber(ARGV[first]), ARGV[first + 1], ARGV[first + 2], ARGV[first + 3], ARGV[first + 4])
    end
  end
  at = at + 5 * outputs
end

for tenant, receipts in pairs(settled) do
  redis.call('HINCRBY', KEYS[2 * TOPICS + 1], tenant, receipts)
end
enter(noted, channel, partition)
trim(KEYS[topic])
return 1
