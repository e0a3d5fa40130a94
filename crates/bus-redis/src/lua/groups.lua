-- What Redis says of a stream and its groups, by name.

local function by_name(flat)
  local named = {}
  for at = 1, #flat, 2 do
    named[flat[at]] = flat[at + 1]
  end
  return named
end

local function groups_of(stream)
  local groups = {}
  if redis.call('EXISTS', stream) == 1 then
    for at, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      groups[at] = by_name(flat)
    end
  end
  return groups
end

-- How many receipts of each tenant a stream still holds. Counting one by one is needed only once something was
-- trimmed: a group that is made known at the start of things costs nothing.
local function kept(stream, accepted)
  local counts = {}
  if redis.call('EXISTS', stream) == 0 then
    return counts
  end
  local info = by_name(redis.call('XINFO', 'STREAM', stream))
  if info['length'] == info['entries-added'] then
    for tenant, receipts in pairs(by_name(redis.call('HGETALL', accepted))) do
      counts[tenant] = tonumber(receipts)
    end
    return counts
  end
  local from = '-'
  while true do
    local entries = redis.call('XRANGE', stream, from, '+', 'COUNT', 64)
    for _, entry in ipairs(entries) do
      local fields = by_name(entry[2])
      counts[fields['tenant']] = (counts[fields['tenant']] or 0) + tonumber(fields['receipts'] or 1)
    end
    if #entries < 64 then
      return counts
    end
    from = '(' .. entries[#entries][1]
  end
end
