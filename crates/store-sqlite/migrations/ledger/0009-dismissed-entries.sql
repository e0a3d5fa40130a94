-- What was dismissed is swept when its time comes.
CREATE INDEX quarantine_dismissed ON quarantine (received_at) WHERE state = 'dismissed';
