-- Appending to the streams of one partition. Needs KEYS[1..5], the streams of the topics in their order, and
-- KEYS[6..10], the books of what was accepted: tenant -> messages ever published.

-- Appends a message and notes in `noted` whom it counts for.
local function append(noted, topic, tenant, payload, origin)
  if origin == '' then
    redis.call('XADD', KEYS[topic], '*', 'tenant', tenant, 'payload', payload)
  else
    redis.call('XADD', KEYS[topic], '*', 'tenant', tenant, 'payload', payload, 'origin', origin)
  end
  local tenants = noted[topic]
  if not tenants then
    tenants = {}
    noted[topic] = tenants
  end
  tenants[tenant] = (tenants[tenant] or 0) + 1
end

-- Enters what was noted into the books, and wakes who waits for these topics.
local function enter(noted, channel)
  for topic, tenants in pairs(noted) do
    for tenant, messages in pairs(tenants) do
      redis.call('HINCRBY', KEYS[5 + topic], tenant, messages)
    end
    redis.call('PUBLISH', channel, topic)
  end
end
