# pip install httpx
import time
import uuid
from datetime import datetime, timezone

import httpx

LETOPIS = httpx.Client(headers={"Authorization": "Bearer {{KEY}}"}, timeout=10)


def record(session: str, actor: str, action: str = "message", **more) -> None:
    """Records one event; returns once it is durable."""
    event = {
        # Chosen once and sent with every attempt: a repeated event is stored once.
        "event_id": str(uuid.uuid4()),
        "timestamp": datetime.now(timezone.utc).isoformat(),
        "channel": "site",
        "session_id": session,
        "actor": actor,
        "action": action,
        **more,
    }
    for attempt in range(5):
        try:
            answer = LETOPIS.post("{{EVENTS_URL}}", json=event)
        except httpx.TransportError:
            pass
        else:
            if answer.status_code != 429 and answer.status_code < 500:
                answer.raise_for_status()
                return
        time.sleep(2**attempt)
    raise RuntimeError("Letopis does not answer")


if __name__ == "__main__":
    record("hello-python", "client", user_text="Сколько стоит стрижка?")
    record("hello-python", "assistant", assistant_response="От 1500 рублей. Записать вас?")
