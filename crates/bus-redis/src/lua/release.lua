-- Gives deliveries back, as far as the consumer still holds them: to a consumer that is nobody, as idle since ever
-- and with the attempt taken back. No tag fits them any more until they are handed out again.
--
-- KEYS: stream. ARGV: wake channel, partition, group, consumer, nobody's name, then for each delivery: id, attempt.

local stream, group, consumer, nobody = KEYS[1], ARGV[3], ARGV[4], ARGV[5]
local released = 0
for at = 6, #ARGV, 2 do
  local id, attempt = ARGV[at], tonumber(ARGV[at + 1])
  if holds(stream, group, consumer, id, attempt) then
    redis.call('XCLAIM', stream, group, nobody, 0, id, 'TIME', 0, 'RETRYCOUNT', attempt - 1, 'JUSTID')
    released = released + 1
  end
end
if released > 0 then
  redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' again')
end
return released
