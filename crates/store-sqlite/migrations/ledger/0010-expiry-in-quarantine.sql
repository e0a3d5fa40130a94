-- The messages of what waits in quarantine expire with everything else; the entries stay.
CREATE INDEX quarantine_expiring ON quarantine (received_at)
    WHERE state IN ('open', 'replaying') AND length(message) > 0;
