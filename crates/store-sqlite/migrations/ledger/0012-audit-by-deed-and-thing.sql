-- What somebody did, and what was done with something, is found without walking through all that was read.
CREATE INDEX audit_by_deed ON audit (tenant, deed, id);
CREATE INDEX audit_by_thing ON audit (tenant, about, what, id);
