-- Of consents and of rulings the latest word holds. What a clock that was ahead dated into the future is dated as of when
-- it was received, as far as that is still known.

UPDATE consents SET occurred_at = e.received_at
FROM events e
WHERE e.tenant = consents.tenant AND e.event_id = consents.event_id AND e.received_at < consents.occurred_at;

UPDATE links SET ruled_at = e.received_at
FROM events e
WHERE e.tenant = links.tenant AND e.event_id = links.ruled_event AND e.received_at < links.ruled_at;
