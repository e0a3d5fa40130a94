-- Forgets consumers that hold nothing and have not been heard of for long: every process brings names of its own.
--
-- KEYS: stream. ARGV: how long is long, in ms. Answers how many.

local gone = 0
for _, group in ipairs(groups_of(KEYS[1])) do
  for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], group['name'])) do
    local consumer = by_name(flat)
    if consumer['pending'] == 0 and consumer['idle'] > tonumber(ARGV[1]) then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group['name'], consumer['name'])
      gone = gone + 1
    end
  end
end
return gone
