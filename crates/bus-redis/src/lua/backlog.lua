-- What a group has yet to settle in one stream. A group not known yet has all that is kept before it.
--
-- KEYS: stream, its book of what was accepted, the group's book of what is settled. ARGV: group.
-- Answers { tenant, receipts, ... } and the id of the oldest of them, '' without.

local function first_after(id)
  local entry = redis.call('XRANGE', KEYS[1], id, '+', 'COUNT', 1)[1]
  return entry and entry[1] or ''
end

local function flat(counts)
  local list = {}
  for tenant, receipts in pairs(counts) do
    if receipts > 0 then
      list[#list + 1] = tenant
      list[#list + 1] = receipts
    end
  end
  return list
end

for _, known in ipairs(groups_of(KEYS[1])) do
  if known['name'] == ARGV[1] then
    local settled = by_name(redis.call('HGETALL', KEYS[3]))
    local counts = {}
    for tenant, receipts in pairs(by_name(redis.call('HGETALL', KEYS[2]))) do
      counts[tenant] = tonumber(receipts) - tonumber(settled[tenant] or 0)
    end
    -- What is pending is older than what was never handed out.
    if known['pending'] > 0 then
      return { flat(counts), redis.call('XPENDING', KEYS[1], ARGV[1])[2] }
    end
    return { flat(counts), first_after('(' .. known['last-delivered-id']) }
  end
end
return { flat(kept(KEYS[1], KEYS[2])), first_after('-') }
