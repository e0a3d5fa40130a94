-- Starts the claims of these deliveries anew, as far as the consumer still holds them.
--
-- KEYS: stream. ARGV: group, consumer, then for each delivery: id, attempt.

for at = 3, #ARGV, 2 do
  if holds(KEYS[1], ARGV[1], ARGV[2], ARGV[at], tonumber(ARGV[at + 1])) then
    -- JUSTID: not a delivery, so not counted.
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[at], 'JUSTID')
  end
end
return 1
