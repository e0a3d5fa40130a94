#!/bin/sh
# One event, from any terminal.
curl --fail-with-body -sS '{{EVENTS_URL}}' \
  -H 'Authorization: Bearer {{KEY}}' \
  -H 'Content-Type: application/json' \
  -d '{
    "timestamp": "'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'",
    "channel": "site",
    "session_id": "hello-curl",
    "actor": "client",
    "action": "message",
    "user_text": "Здравствуйте! Можно записаться на завтра?"
  }'
