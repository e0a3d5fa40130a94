-- What nobody can mend may be dismissed, with who did it in the audit; it is swept when its time comes.

ALTER TABLE quarantine
    DROP CONSTRAINT IF EXISTS quarantine_state_check,
    ADD CONSTRAINT quarantine_state_check CHECK (state IN ('open', 'replaying', 'resolved', 'dismissed'));

CREATE INDEX quarantine_dismissed ON quarantine (received_at) WHERE state = 'dismissed';

ALTER TABLE audit
    DROP CONSTRAINT IF EXISTS audit_deed_check,
    ADD CONSTRAINT audit_deed_check CHECK (deed IN ('opened', 'read', 'dismissed', 'took_back')),
    DROP CONSTRAINT IF EXISTS audit_about_check,
    ADD CONSTRAINT audit_about_check CHECK (about IN ('entry', 'cause', 'session', 'lead', 'client', 'source'));
