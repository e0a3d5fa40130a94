-- Appending to the streams of one partition. Needs KEYS[1..6], the streams of the topics in their order, and
-- KEYS[7..12], the books of what was accepted: tenant -> receipts ever published.

local TOPICS = 6

-- Appends a message and notes in `noted` whom it counts for, and how large it is.
local function append(noted, topic, tenant, payload, receipts, origin)
  if origin == '' and receipts == '1' then
    redis.call('XADD', KEYS[topic], '*', 'tenant', tenant, 'payload', payload)
  elseif origin == '' then
    redis.call('XADD', KEYS[topic], '*', 'tenant', tenant, 'payload', payload, 'receipts', receipts)
  else
    redis.call('XADD', KEYS[topic], '*', 'tenant', tenant, 'payload', payload, 'receipts', receipts, 'origin', origin)
  end
  local note = noted[topic]
  if not note then
    note = { receipts = {}, largest = 0 }
    noted[topic] = note
  end
  note.receipts[tenant] = (note.receipts[tenant] or 0) + tonumber(receipts)
  note.largest = math.max(note.largest, #payload)
end

-- Enters what was noted into the books, and says on each topic's channel which partition has something new, and of how
-- many bytes the largest is.
local function enter(noted, channel, partition)
  for topic, note in pairs(noted) do
    for tenant, receipts in pairs(note.receipts) do
      redis.call('HINCRBY', KEYS[TOPICS + topic], tenant, receipts)
    end
    redis.call('PUBLISH', channel .. ':' .. topic, partition .. ' ' .. note.largest)
  end
end
