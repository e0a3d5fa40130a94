-- Keeps an answer behind the digest of the body, unless one is kept already, and says which one is.
--
-- KEYS: what is kept. ARGV: idempotency key, answer, length of a digest.

local kept = redis.call('HGET', KEYS[1], ARGV[1])
local digest = tonumber(ARGV[3])
if kept and #kept > digest then
  return string.sub(kept, digest + 1)
end
-- Forgotten meanwhile: the answer was given all the same.
if kept then
  redis.call('HSET', KEYS[1], ARGV[1], kept .. ARGV[2])
end
return ARGV[2]
