-- Opens an idempotency key, or says what is kept of it: the digest of its first body, and the answer once there is
-- one.
--
-- KEYS: what is kept, when each was begun. ARGV: idempotency key, digest of the body, now in µs.

local kept = redis.call('HGET', KEYS[1], ARGV[1])
if not kept then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
end
return kept
