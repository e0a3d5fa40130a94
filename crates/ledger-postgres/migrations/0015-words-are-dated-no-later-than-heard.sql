-- Of consents and of rulings the latest word holds. What a clock that was ahead dated into the future is dated as of when
-- it was received, as far as that is still known. A release before this one goes on dating as senders say.

UPDATE consents c SET occurred_at = i.received_at
FROM event_ids i
WHERE i.tenant = c.tenant AND i.event_id = c.event_id AND i.received_at < c.occurred_at;

UPDATE links l SET ruled_at = i.received_at
FROM event_ids i
WHERE i.tenant = l.tenant AND i.event_id = l.ruled_event AND i.received_at < l.ruled_at;
