-- Forgets idempotency keys begun before an instant, some at a time. Answers how many.
--
-- KEYS: what is kept, when each was begun. ARGV: the instant in µs, how many at the most.

local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
if #old > 0 then
  redis.call('HDEL', KEYS[1], unpack(old))
  redis.call('ZREM', KEYS[2], unpack(old))
end
return #old
