-- Appending to the streams of one partition. Needs KEYS[1..6], the streams of the topics in their order, and
-- KEYS[7..12], the books of what was accepted: tenant -> receipts ever published.

local TOPICS = 6

-- Appends a message and notes in `noted` whom it counts for.
local function append(noted, topic, tenant, payload, receipts, origin)
  if origin == '' and receipts == '1' then
    redis.call('XADD', KEYS[topic], '*', 'tenant', tenant, 'payload', payload)
  elseif origin == '' then
    redis.call('XADD', KEYS[topic], '*', 'tenant', tenant, 'payload', payload, 'receipts', receipts)
  else
    redis.call('XADD', KEYS[topic], '*', 'tenant', tenant, 'payload', payload, 'receipts', receipts, 'origin', origin)
  end
  local tenants = noted[topic]
  if not tenants then
    tenants = {}
    noted[topic] = tenants
  end
  tenants[tenant] = (tenants[tenant] or 0) + tonumber(receipts)
end

-- Enters what was noted into the books, and says on each topic's channel which partition has something.
local function enter(noted, channel, partition)
  for topic, tenants in pairs(noted) do
    for tenant, receipts in pairs(tenants) do
      redis.call('HINCRBY', KEYS[TOPICS + topic], tenant, receipts)
    end
    redis.call('PUBLISH', channel .. ':' .. topic, partition)
  end
end
