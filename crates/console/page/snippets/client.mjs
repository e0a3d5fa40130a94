// Node.js 18 or later, nothing to install.
import { randomUUID } from "node:crypto";

/** Records one event; resolves once it is durable. */
export async function record(session, actor, more = {}) {
  const event = {
    // Chosen once and sent with every attempt: a repeated event is stored once.
    event_id: randomUUID(),
    timestamp: new Date().toISOString(),
    channel: "site",
    session_id: session,
    actor,
    action: "message",
    ...more,
  };
  const headers = { authorization: "Bearer {{KEY}}", "content-type": "application/json" };
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const answer = await fetch("{{EVENTS_URL}}", { method: "POST", headers, body: JSON.stringify(event) }).catch(() => null);
    if (answer?.ok) return;
    if (answer && answer.status !== 429 && answer.status < 500) throw new Error(`${answer.status} ${await answer.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** attempt));
  }
  throw new Error("Letopis does not answer");
}

await record("hello-node", "client", { user_text: "Вы работаете в воскресенье?" });
await record("hello-node", "assistant", { assistant_response: "Да, с 10 до 20. Записать вас?" });
