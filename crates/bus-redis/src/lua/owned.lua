-- Whether a consumer still holds a message by the very delivery that a tag names: it may have lost its claim to
-- another one, or given it back and been handed it again.
local function holds(stream, group, consumer, id, attempt)
  local pending = redis.call('XPENDING', stream, group, id, id, 1)[1]
  return pending and pending[2] == consumer and pending[4] == attempt
end
