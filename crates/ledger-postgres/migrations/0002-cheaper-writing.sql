-- What a record of an event costs, mostly the upkeep of indexes. Nothing changes its meaning: what a release before
-- this one writes and reads goes on working beside it, only a page of sessions takes it longer. The indexes of events
-- and of their ids are built anew meanwhile, and writing waits for that.

-- A row that changes in no indexed column is rewritten on its page, and no index hears of it. So sessions are indexed
-- by when their last event was to ten minutes, which an event mostly leaves as it was; a reader sorts the rest.
ALTER TABLE sessions ADD COLUMN last_period bigint GENERATED ALWAYS AS (last_at / 600000000) STORED;
DROP INDEX sessions_by_last;
DROP INDEX sessions_by_age;
CREATE INDEX sessions_by_last ON sessions (tenant, last_period);
CREATE INDEX sessions_by_age ON sessions (last_period);
-- Room on the page for that.
ALTER TABLE sessions SET (fillfactor = 50);

-- What tells keys apart stands first, and what no reader needs sorted is left out.
ALTER TABLE sessions DROP CONSTRAINT sessions_pkey, ADD PRIMARY KEY (session, tenant);
ALTER TABLE event_ids DROP CONSTRAINT event_ids_pkey, ADD PRIMARY KEY (event_id, tenant);
DROP INDEX events_by_session;
DROP INDEX events_by_lead;
CREATE INDEX events_by_session ON events (session, tenant, occurred_at);
CREATE INDEX events_by_lead ON events (lead, tenant, occurred_at) WHERE lead IS NOT NULL;
