// One conversation as it went, or everything that named one lead. Looks again every two seconds while visible.

import { get, post, watched } from "./api.js";
import { fill, h } from "./dom.js";
import { day, moment } from "./format.js";
import { t, word } from "./i18n.js";
import { channelLabel, every, fail, footnote, heading, icon, loading, outcomeLabel } from "./parts.js";
import { entries } from "./bubbles.js";
import { sessionName } from "./sessions.js";

const LOOK_EVERY = 2_000;
const PAGE = 200;
/** A conversation longer than this is shown in parts, on demand. */
const AT_ONCE = 1_000;

export async function sessionTimeline({ main, id, signal }) {
  const place = h("div", { class: "stack" }, loading());
  fill(main, h("div", { class: "stack column" }, backLink(), place));
  let stored;
  try {
    // The address may hold an id somebody typed: it is looked up in a body, and the stored one takes its place.
    ({ id: stored } = await post("/v1/sessions/lookup", { id }));
  } catch (failure) {
    if (!signal.aborted) fail(place, failure, () => sessionTimeline({ main, id, signal }));
    return;
  }
  if (stored !== id) history.replaceState(null, "", `#/sessions/${encodeURIComponent(stored)}`);
  await follow({ place, signal, path: `/v1/sessions/${encodeURIComponent(stored)}`, summary: sessionSummary });
}

export async function leadTimeline({ main, id, signal }) {
  const place = h("div", { class: "stack" }, loading());
  fill(main, h("div", { class: "stack column" }, backLink(), place));
  await follow({ place, signal, path: `/v1/leads/${encodeURIComponent(id)}/events`, summary: leadSummary });
}

export function backLink() {
  return h("a", { class: "back", href: "#/sessions" }, icon("back"), t("timeline.back"));
}

export async function follow({ place, signal, path, summary }) {
  const state = { limit: AT_ONCE };
  const chat = h("ol", { class: "chat" });
  const head = h("header", { class: "stack" });
  const tail = h("div", { class: "stack" });
  const pulse = h("p", { class: "pulse" });
  const read = watched(path, { limit: PAGE });
  let seen = null;

  const draw = async (first) => {
    const whole = await rest(path, first, state.limit);
    if (signal.aborted) return;
    // What somebody is typing is not taken from under their hands.
    if (!head.querySelector("form")) fill(head, summary(whole));
    seen = redraw(chat, whole, seen);
    fill(tail, moreButton(whole, state, () => draw(first)), whole.events.length === 0 && h("p", { class: "panel empty" }, t("timeline.empty")),
      footnote(whole.events.map((event) => event.channel)));
    if (place.firstChild !== head) fill(place, head, chat, tail, pulse);
  };
  const look = async () => {
    try {
      const first = await read();
      if (first && !signal.aborted) await draw(first);
      fill(pulse, h("span", { class: "dot" }), t("timeline.live"));
    } catch (failure) {
      if (signal.aborted) return;
      if (seen === null) fail(place, failure, look);
      else fill(pulse, h("span", { class: "dot off" }), t("timeline.paused"));
    }
  };
  await look();
  every(LOOK_EVERY, signal, look);
}

/** The pages after the first, up to `limit` events. */
async function rest(path, first, limit) {
  let { events, next_cursor, appointments } = first;
  while (next_cursor && events.length < limit) {
    const page = await get(path, { limit: PAGE, cursor: next_cursor });
    events = [...events, ...page.events];
    ({ next_cursor, appointments } = page);
  }
  return { ...first, events: events.toSorted(byTime), next_cursor, appointments };
}

/** A messenger's clock has whole seconds: within one, what was received first was said first. */
function byTime(a, b) {
  const order = (key) => Date.parse(a[key]) - Date.parse(b[key]);
  return order("occurred_at") || order("received_at");
}

function moreButton(whole, state, again) {
  return whole.next_cursor && h("button", { type: "button", class: "button", onclick: () => {
    state.limit += AT_ONCE;
    again();
  } }, t("more"));
}

/**
 * Draws the events anew, but keeps the elements of those that did not change, so that an opened detail stays open and
 * only what is new moves. Returns what is shown, by event.
 */
function redraw(chat, { events }, seen) {
  const shown = new Map();
  const items = [];
  let lastDay = null;
  for (const event of events) {
    const today = day(event.occurred_at);
    if (today !== lastDay) items.push(h("li", { class: "day" }, h("span", {}, today)));
    lastDay = today;
    const text = JSON.stringify(event);
    const before = seen?.get(event.id);
    const kept = before?.text === text ? before : { text, elements: entries(event, { fresh: seen !== null }) };
    shown.set(event.id, kept);
    items.push(...kept.elements);
  }
  const atEnd = seen !== null && innerHeight + scrollY > document.body.scrollHeight - 160;
  fill(chat, items);
  if (atEnd && shown.size > seen.size) scrollTo({ top: document.body.scrollHeight });
  return shown;
}

function sessionSummary({ session, appointments, events }) {
  const known = [...new Set(events.flatMap((event) => event.known_by))];
  return [
    heading(session.id.startsWith("v1:") ? t("sessions.id") : session.id, outcomeLabel(session.outcome)),
    h("dl", { class: "facts" },
      session.id.startsWith("v1:") && fact(t("sessions.id"), sessionName(session.id)),
      fact(t("sessions.channel"), channelLabel(session.channel)),
      fact(t("timeline.began"), h("time", { datetime: session.first_at }, moment(session.first_at))),
      fact(t("timeline.last"), h("time", { datetime: session.last_at }, moment(session.last_at))),
      session.lead && fact(t("timeline.lead"), leadLink(session.lead)),
      known.length > 0 && fact(t("client.title"), h("a", { href: `#/clients/${encodeURIComponent(session.id)}` }, t("client.all"))),
      known.length > 0 && fact(t("timeline.known"), known.map((kind) => word("alias", kind)).join(", "))),
    appointments.map(appointmentCard),
  ];
}

function leadSummary({ lead, appointments, events }) {
  const conversations = [...new Set(events.map((event) => event.session))];
  return [
    heading(t("timeline.lead.title", { lead })),
    h("dl", { class: "facts" }, conversations.map((id) =>
      fact(t("timeline.lead.session"), h("a", { href: `#/sessions/${encodeURIComponent(id)}` }, sessionName(id))))),
    appointments.map(appointmentCard),
  ];
}

export function fact(name, ...content) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, ...content));
}

function leadLink(lead) {
  return h("a", { href: `#/leads/${encodeURIComponent(lead)}` }, lead);
}

function appointmentCard({ state, starts_at, service, staff }) {
  const label = state ? t(`appointment.${state}`) : t("timeline.appointment.unknown");
  return h("section", { class: `appointment state-${state ?? "unknown"}` },
    h("h2", {}, t("timeline.appointment")),
    h("p", {}, [service, starts_at && moment(starts_at), staff && t("timeline.master", { name: staff })].filter(Boolean).join(" · ")),
    h("span", { class: "status" }, label));
}
