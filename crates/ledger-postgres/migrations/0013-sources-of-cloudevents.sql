-- Sources of CloudEvents. What the release before writes is still taken.

ALTER TABLE sources
    DROP CONSTRAINT IF EXISTS sources_kind_check,
    ADD CONSTRAINT sources_kind_check CHECK (kind IN ('events', 'telegram', 'whatsapp', 'instagram', 'vk', 'max', 'wazzup',
                                                      'avito', 'jivo', 'yclients', 'mapping', 'otlp', 'cloudevents'));
