// The list of conversations, with filters that live in the address.

import { get, watched } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { channel, moment, number, period } from "./format.js";
import { plural, t } from "./i18n.js";
import { channelLabel, choice, every, fail, footnote, heading, loading, outcomeLabel } from "./parts.js";

const CHANNELS = ["telegram", "whatsapp", "instagram", "max", "vk", "avito", "site", "phone", "sms", "email", "crm",
  "booking", "other"];
const OUTCOMES = ["visited", "no_show", "cancelled", "booked", "refused", "handed_off", "lead", "not_served", "open"];
const PERIODS = ["1", "7", "30", "90"];
const PAGE = 50;
const LOOK_EVERY = 5_000;

export async function sessions({ main, signal, parameters }) {
  const filters = { channel: parameters.get("channel"), outcome: parameters.get("outcome"), days: parameters.get("days") };
  const place = h("div", { class: "stack" }, loading());
  fill(main, heading(t("sessions.title")), filterBar(filters), place);

  const query = { channel: filters.channel, outcome: filters.outcome, limit: PAGE };
  if (PERIODS.includes(filters.days)) Object.assign(query, period(Number(filters.days)));
  const state = { query, rows: [], next: null, paged: false };

  const read = watched("/v1/sessions", query);
  const look = async () => {
    // Once further pages are shown, the first is left alone: rows would move under the reader's finger.
    if (state.paged) return;
    try {
      const page = await read();
      if (!page || signal.aborted) return;
      Object.assign(state, { rows: page.sessions, next: page.next_cursor });
      draw(place, state);
    } catch (failure) {
      if (!signal.aborted && place.querySelector(".loading, .trouble")) fail(place, failure, look);
    }
  };
  await look();
  every(LOOK_EVERY, signal, look);
}

function filterBar(filters) {
  const go = (name) => (value) => {
    const next = new URLSearchParams();
    for (const [key, item] of Object.entries({ ...filters, [name]: value })) if (item) next.set(key, item);
    location.hash = next.size > 0 ? `#/sessions?${next}` : "#/sessions";
  };
  const any = ["", t("sessions.any")];
  return h("div", { class: "filters" },
    choice(t("sessions.channel"), [any, ...CHANNELS.map((key) => [key, channel(key)])], filters.channel, go("channel")),
    choice(t("sessions.outcome"), [any, ...OUTCOMES.map((key) => [key, t(`outcome.${key}`)])], filters.outcome, go("outcome")),
    choice(t("sessions.period"), [["", t("sessions.anytime")], ...PERIODS.map((n) => [n, plural("sessions.last", Number(n))])],
      filters.days, go("days")));
}

function draw(place, state) {
  if (state.rows.length === 0) {
    fill(place, h("p", { class: "panel empty" }, t("sessions.empty")), footnote(CHANNELS));
    return;
  }
  const more = h("button", { type: "button", class: "button", onclick: () => next(place, state, more) }, t("more"));
  const columns = [["id"], ["channel"], ["outcome"], ["lead"], ["count", "number"], ["when", "number"]];
  fill(place,
    h("section", { class: "panel flush" },
      h("table", { class: "stacked rows" },
        h("thead", {}, h("tr", {}, columns.map(([key, kind]) => h("th", { scope: "col", class: kind }, t(`sessions.${key}`))))),
        h("tbody", {}, state.rows.map(row)))),
    state.next && more,
    // The filter names the channels too, so the footnote stands here always.
    footnote(CHANNELS));
}

function row(session) {
  const cell = (key, kind, ...content) => h("td", { class: kind, "data-label": t(`sessions.${key}`) }, ...content);
  return h("tr", {},
    h("th", { scope: "row" }, h("a", { class: "cover", href: `#/sessions/${encodeURIComponent(session.id)}` }, sessionName(session.id))),
    cell("channel", "", channelLabel(session.channel)),
    cell("outcome", "", outcomeLabel(session.outcome)),
    cell("lead", session.lead ? "" : "none", session.lead ?? ""),
    cell("count", "number events", h("span", { class: "wide" }, number(session.events)), h("span", { class: "narrow" }, plural("sessions.events", session.events))),
    cell("when", "number when", h("time", { datetime: session.last_at }, moment(session.last_at))));
}

/** A pseudonym is long and says nothing: its tail is enough to tell two apart. */
export function sessionName(id) {
  if (!id.startsWith("v1:")) return id;
  return [h("span", { class: "hidden-id", title: t("sessions.hidden.why") }, t("sessions.hidden")), " ",
    h("code", {}, `…${id.slice(-6)}`)];
}

async function next(place, state, button) {
  button.disabled = true;
  state.paged = true;
  try {
    const page = await get("/v1/sessions", { ...state.query, cursor: state.next });
    const from = state.rows.length;
    Object.assign(state, { rows: [...state.rows, ...page.sessions], next: page.next_cursor });
    draw(place, state);
    place.querySelectorAll("tbody a")[from]?.focus();
    announce(plural("sessions.loaded", page.sessions.length));
  } catch (failure) {
    button.disabled = false;
    button.after(h("p", { class: "warning", role: "alert" }, t(failure.status === 0 ? "error.network" : "error.other")));
  }
}
