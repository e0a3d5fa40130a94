-- Hands out messages of one stream: those with an expired claim first, then new ones.
--
-- A claim holds for as long as whoever has it said when he claimed, not whoever comes next: consumers are named
-- `<claim TTL in ms>/<name>`.
--
-- With each delivery a message comes in smaller company: beside one that is handed out for the second or the third time
-- a claim may hold only so many, and one handed out more often is alone.
--
-- KEYS: stream. ARGV: group, consumer, how many, how many bytes, how many this claim has found elsewhere (while there is
-- nothing, one message comes however large it is), the company on the second delivery, and on the third.
-- Answers whether there may be more, 1 or 0, and { attempt, { id, fields } } for each.

local stream, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local room, bytes, elsewhere = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local companies = { math.huge, tonumber(ARGV[6]), tonumber(ARGV[7]) }

-- Messages read at a time: their sizes are known only once they are handed out.
local most = 8

local taken, largest = {}, 1

local function company(attempt)
  return companies[attempt] or 1
end

local function held()
  return elsewhere + #taken
end

local function take(entry, attempt)
  taken[#taken + 1] = { attempt, entry }
  local size = #entry[2][4]
  largest = math.max(largest, size)
  bytes = bytes - size
  room = math.min(room - 1, company(attempt) - held())
end

-- How many to take next: as many as fit if they are no larger than the largest so far.
local function step()
  if held() == 0 then
    return math.min(1, room)
  end
  if room <= 0 or bytes < largest then
    return 0
  end
  return math.min(most, room, math.max(1, #taken), math.floor(bytes / largest))
end

local function claim(ids, attempts)
  -- Counts the delivery by itself.
  for _, entry in ipairs(redis.call('XCLAIM', stream, group, consumer, 0, unpack(ids))) do
    take(entry, attempts[entry[1]] + 1)
  end
end

-- What is claimed and expired, oldest first, about as much as there is room for: { id, attempts } for each.
local function expired()
  local found, shortest, ttls = {}, math.huge, {}
  for _, holder in ipairs(redis.call('XPENDING', stream, group)[4] or {}) do
    -- One that names no TTL, and nobody, to whom things are given back, hold nothing for any time.
    local ttl = tonumber(string.match(holder[1], '^(%d+)/')) or 0
    ttls[holder[1]] = ttl
    if ttl > 0 then
      shortest = math.min(shortest, ttl)
    end
  end
  if not next(ttls) then
    return found
  end
  shortest = shortest == math.huge and 1 or shortest
  local from = '-'
  repeat
    local page = redis.call('XPENDING', stream, group, 'IDLE', shortest, from, '+', room)
    for _, claimed in ipairs(page) do
      if claimed[3] >= ttls[claimed[2]] then
        found[#found + 1] = { claimed[1], claimed[4] }
      end
      from = '(' .. claimed[1]
    end
  until #page < room or #found >= room
  return found
end

local expired = expired()
local at, left = 1, 0
while at <= #expired do
  local many = step()
  if many == 0 then
    return { 1, taken }
  end
  local ids, attempts = {}, {}
  while at <= #expired and #ids < many do
    local id, before = expired[at][1], expired[at][2]
    -- Room beside what is held already; what wants less company than that comes another time.
    local fit = company(before + 1) - held()
    if #ids < fit then
      ids[#ids + 1] = id
      attempts[id] = before
      many = math.min(many, fit)
    else
      left = 1
    end
    at = at + 1
  end
  if #ids > 0 then
    claim(ids, attempts)
  end
end

while true do
  local many = step()
  if many == 0 then
    return { 1, taken }
  end
  local reply = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', many, 'STREAMS', stream, '>')
  if not reply then
    return { left, taken }
  end
  local entries = reply[1][2]
  for _, entry in ipairs(entries) do
    take(entry, 1)
  end
  if #entries < many then
    return { left, taken }
  end
end
