-- A merge writes a new part without flushing it to the disk, and the parts it was made of, which were flushed before they
-- were acknowledged, go after a while. Some builds take no time at all for that, and then a power cut right after a merge
-- would lose what was acknowledged. In eight minutes, the usual default, every file system has written the new part.

ALTER TABLE ${database}.events${local}${on_cluster} MODIFY SETTING old_parts_lifetime = 480;

ALTER TABLE ${database}.sessions${local}${on_cluster} MODIFY SETTING old_parts_lifetime = 480;

ALTER TABLE ${database}.appointments${local}${on_cluster} MODIFY SETTING old_parts_lifetime = 480;
