// What could not be understood, why, and sending it through again.

import { get, post } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { moment, number } from "./format.js";
import { plural, t, word } from "./i18n.js";
import { choice, every, fail, heading, icon, loading } from "./parts.js";
import { groupCards } from "./workbench.js";

const STATES = ["open", "replaying", "resolved", "dismissed"];
const CLASSES = ["unopenable", "unreadable", "invalid", "conflict", "handler_failed"];
const PAGE = 50;
const LOOK_EVERY = 15_000;

export async function quarantine({ main, reader, signal, parameters, refreshBadge }) {
  const filters = { state: parameters.get("state"), class: parameters.get("class") };
  const place = h("div", { class: "stack" }, loading());
  const strip = h("div");
  const causes = h("div", { class: "stack" });
  fill(main, heading(t("quarantine.title")), h("p", { class: "lead" }, t("quarantine.lead")), strip, causes, h("h2", {}, t("groups.entries")), filterBar(filters), place);
  let known = null;
  // Drawn anew even where all of it came back and the numbers are what they were.
  const again = () => {
    known = null;
    look().then(refreshBadge);
  };

  const state = { filters, reader, refreshBadge, entries: [], next: null, paged: false, signal };
  const look = async () => {
    if (state.paged) return;
    try {
      const [page, books, causesNow] = await Promise.all([
        get("/v1/quarantine", { ...filters, limit: PAGE }), get("/v1/reconcile"), get("/v1/quarantine/groups"),
      ]);
      if (signal.aborted) return;
      // What somebody is typing or watching is not taken from under their hands.
      if (JSON.stringify(causesNow) !== known && !causes.querySelector("form, progress, pre")) {
        known = JSON.stringify(causesNow);
        fill(causes, groupCards(causesNow, { reader, signal, changed: again }));
      }
      const mine = books.tenants;
      fill(strip, mine.length === 1 && booksStrip(mine[0]));
      const changed = JSON.stringify(page.entries) !== JSON.stringify(state.entries);
      Object.assign(state, { entries: page.entries, next: page.next_cursor });
      if (changed || place.querySelector(".loading, .trouble")) draw(place, state);
    } catch (failure) {
      if (!signal.aborted && place.querySelector(".loading, .trouble")) fail(place, failure, look);
    }
  };
  state.look = look;
  await look();
  every(LOOK_EVERY, signal, look);
}

function filterBar(filters) {
  const go = (name) => (value) => {
    const next = new URLSearchParams();
    for (const [key, item] of Object.entries({ ...filters, [name]: value })) if (item) next.set(key, item);
    location.hash = next.size > 0 ? `#/quarantine?${next}` : "#/quarantine";
  };
  return h("div", { class: "filters" },
    choice(t("quarantine.state"), [["", t("quarantine.any.state")], ...STATES.map((key) => [key, t(`state.${key}`)])], filters.state, go("state")),
    choice(t("quarantine.class"), [["", t("quarantine.any.class")], ...CLASSES.map((key) => [key, t(`class.${key}`)])], filters.class, go("class")));
}

/** Accepted = stored + duplicate + quarantined + in flight: the promise, with today's numbers. */
function booksStrip(books) {
  const term = (key, sign) => h("div", {}, h("dt", {}, t(`books.${key}`)),
    h("dd", {}, sign && h("span", { class: "sign", "aria-hidden": "true" }, sign), number(books[key])));
  return h("section", { class: "books", "aria-label": t("books.title") },
    h("dl", {}, term("accepted"), term("stored", "="), term("duplicate", "+"), term("quarantined", "+"), term("in_flight", "+")),
    h("span", { class: books.balanced ? "status good" : "status bad" }, icon(books.balanced ? "check" : "warning"),
      t(books.balanced ? "books.balanced" : "books.unbalanced")));
}

function draw(place, state) {
  const filtered = state.filters.state || state.filters.class;
  if (state.entries.length === 0) {
    fill(place, h("p", { class: "panel empty" }, t(filtered ? "quarantine.nomatch" : "quarantine.empty")));
    return;
  }
  const more = h("button", { type: "button", class: "button", onclick: () => next(place, state, more) }, t("more"));
  fill(place,
    h("ul", { class: "entries" }, state.entries.map((entry) => entryCard(entry, state))),
    state.next && more,
    state.reader.scope !== "admin" && h("p", { class: "quiet" }, t("quarantine.replay.admin")));
}

function entryCard(entry, state) {
  const fact = (key, value) => value && h("div", {}, h("dt", {}, t(`quarantine.${key}`)), h("dd", {}, value));
  const time = (text) => h("time", { datetime: text }, moment(text));
  const canReplay = state.reader.scope === "admin" && entry.state !== "resolved" && !entry.expired;
  return h("li", { class: `panel entry entry-${entry.state}` },
    h("div", { class: "heading" }, h("h2", {}, word("class", entry.class)),
      h("span", { class: `status state-${entry.state}` }, t(`state.${entry.state}`),
        entry.replays > 0 && ` · ${plural("quarantine.replays", entry.replays)}`)),
    h("dl", { class: "facts" },
      fact("where", entry.pointer && h("code", {}, entry.pointer)),
      fact("expected", h("span", { lang: "en" }, entry.detail)),
      fact("received", time(entry.received_at)),
      fact("put", time(entry.quarantined_at)),
      fact("stage", word("stage", entry.stage)),
      fact("source", entry.source),
      fact("receipt", h("code", { class: "long" }, entry.receipt))),
    entry.expired && h("p", { class: "quiet" }, t("quarantine.expired")),
    canReplay && replayButton(entry, state));
}

function replayButton(entry, state) {
  const button = h("button", { type: "button", class: "button", onclick: async () => {
    button.disabled = true;
    try {
      await post(`/v1/quarantine/${entry.receipt}/replay`, {}, { stage: entry.stage });
      button.textContent = t("quarantine.replay.done");
      announce(t("quarantine.replay.done"));
      state.paged = false;
      setTimeout(() => {
        if (!state.signal.aborted) state.look().then(state.refreshBadge);
      }, 800);
    } catch (failure) {
      button.disabled = false;
      const key = { 0: "error.network", 403: "error.forbidden", 503: "error.unavailable" }[failure.status] ?? "error.other";
      button.after(h("p", { class: "warning", role: "alert" }, t(key)));
    }
  } }, t("quarantine.replay"));
  return button;
}

async function next(place, state, button) {
  button.disabled = true;
  state.paged = true;
  try {
    const page = await get("/v1/quarantine", { ...state.filters, limit: PAGE, cursor: state.next });
    const from = state.entries.length;
    Object.assign(state, { entries: [...state.entries, ...page.entries], next: page.next_cursor });
    draw(place, state);
    place.querySelectorAll(".entry button")[from]?.focus();
  } catch {
    button.disabled = false;
    button.after(h("p", { class: "warning", role: "alert" }, t("error.other")));
  }
}
