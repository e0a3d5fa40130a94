-- An overview asks how many sessions of a channel with exactly these marks opened within a period, for every set of marks
-- there is: each of those lies together, in the order of opening, and is counted without looking at a row.

DROP INDEX session_rollups_by_opening;
CREATE INDEX session_rollups_by_marks ON session_rollups (tenant, channel, marks, opened_at);

DROP INDEX appointment_rollups_by_opening;
CREATE INDEX appointment_rollups_by_step ON appointment_rollups (tenant, channel, step, opened_at);
