// An event as it is drawn: what was said as bubbles, what was done as a labelled note, the rest behind "details".

import { h } from "./dom.js";
import { channel, exact, moment, number, share, time } from "./format.js";
import { t, word } from "./i18n.js";
import { icon } from "./parts.js";

/** The list items of one event: usually one, two when it carries both sides of a turn. */
export function entries(event, { fresh }) {
  const said = bubbles(event);
  const items = said.map(({ side, text }, index) => bubble(event, side, text, index === said.length - 1));
  if (items.length === 0) items.push(note(event));
  if (fresh) for (const item of items) item.classList.add("fresh");
  return items;
}

/** Who said what. The assistant's event may report the client's words it answers to. */
function bubbles({ actor, user_text, assistant_response }) {
  const said = [];
  const own = actor === "staff" || actor === "system" || actor === "crm" ? actor : null;
  if (user_text) said.push({ side: own ?? "client", text: user_text });
  if (assistant_response) said.push({ side: own ?? "assistant", text: assistant_response });
  return said;
}

function bubble(event, side, text, last) {
  const quiet = side === "system" || side === "crm";
  return h("li", { class: `turn ${quiet ? "note" : side}` },
    h("article", { class: "bubble" },
      h("p", { class: "who" }, t(`actor.${side}`)),
      h("p", { class: "said" }, text),
      last && chip(event),
      last && warnings(event),
      footer(event, last)));
}

function note(event) {
  const isPlain = event.action === "message" && event.flags.length === 0;
  // Contacts are never shown; that one came is worth a word.
  const plain = event.known_by.some((kind) => kind === "phone" || kind === "email") ? "timeline.contact" : "action.message";
  return h("li", { class: "turn note" },
    h("article", { class: "bubble" },
      h("p", { class: "who" }, t(`actor.${event.actor}`)),
      isPlain ? h("p", { class: "said quiet" }, t(plain)) : chip(event, true),
      warnings(event),
      footer(event, true)));
}

/** What was done, unless it is plain talk. */
function chip(event, always = false) {
  if (event.action === "message" && !always) return null;
  const { appointment } = event;
  const about = [
    event.lead && event.action !== "message" && h("a", { href: `#/leads/${encodeURIComponent(event.lead)}` }, event.lead),
    appointment?.service,
    appointment?.starts_at && moment(appointment.starts_at),
    appointment?.staff && t("timeline.master", { name: appointment.staff }),
    event.consent && word("purpose", event.consent.purpose),
  ].filter(Boolean);
  return h("p", { class: "did" },
    h("span", { class: `chip action-${event.action}` }, word("action", event.action)),
    about.length > 0 && h("span", { class: "about" }, about.flatMap((part, index) => (index > 0 ? [" · ", part] : [part]))));
}

function warnings({ flags }) {
  return flags.map((flag) => h("p", { class: "warning" }, icon("warning"), h("span", {}, word("flag", flag))));
}

function footer(event, last) {
  const at = h("time", { datetime: event.occurred_at, title: exact(event.occurred_at) }, time(event.occurred_at));
  if (!last) return h("p", { class: "foot" }, at);
  return h("details", { class: "foot" }, h("summary", { title: t("timeline.details"), "aria-label": `${time(event.occurred_at)}, ${t("timeline.details")}` }, at), facts(event));
}

function facts(event) {
  const { scenario, usage, consent } = event;
  const rows = [
    ["action", event.action],
    ["intent", event.intent],
    ["scenario", scenario && [scenario.id, scenario.version].filter(Boolean).join(" · ")],
    ["confidence", event.confidence !== null && share(event.confidence)],
    ["response", event.response_time_ms !== null && t("timeline.ms", { n: number(event.response_time_ms) })],
    ["model", event.model],
    ["usage", usage && t("timeline.usage.value", { in: number(usage.input_tokens), out: number(usage.output_tokens) })],
    ["consent", consent && [word("purpose", consent.purpose), consent.text_version].filter(Boolean).join(" · ")],
    ["occurred", exact(event.occurred_at)],
    ["received", exact(event.received_at)],
    ["stored", exact(event.stored_at)],
    ["source", `${event.source} (${channel(event.channel)})`],
    ["event", h("code", {}, event.id)],
    ["receipt", h("code", {}, event.receipt)],
    ["attributes", Object.keys(event.attributes).length > 0 && h("pre", { tabindex: 0 }, JSON.stringify(event.attributes, null, 2))],
  ];
  return h("dl", {}, rows.filter(([, value]) => value).map(([key, value]) => h("div", {}, h("dt", {}, t(`timeline.${key}`)), h("dd", {}, value))));
}
