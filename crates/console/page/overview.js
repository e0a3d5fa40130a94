// What conversations became: headline figures, the way from hello to visit, and the same by channel.

import { get, watched } from "./api.js";
import { fill, h } from "./dom.js";
import { channel, date, number, period, share } from "./format.js";
import { plural, t } from "./i18n.js";
import { channelLabel, copyButton, every, fail, footnote, heading, loading } from "./parts.js";

const PERIODS = [7, 30, 90];
const LOOK_EVERY = 15_000;

export async function overview({ main, signal, parameters }) {
  const asked = Number(parameters.get("days"));
  const days = PERIODS.includes(asked) ? asked : 30;
  const span = period(days);
  const place = h("div", { class: "stack" }, loading());
  fill(main, heading(t("overview.title"), periodChoice(days)), place);

  const read = watched("/v1/overview", span);
  const look = async () => {
    try {
      const figures = await read();
      if (!figures || signal.aborted) return;
      const isNew = figures.channels.length === 0 && (await get("/v1/sessions", { limit: 1 })).sessions.length === 0;
      if (!signal.aborted) fill(place, figures.channels.length === 0 ? empty(isNew) : content(figures));
    } catch (failure) {
      if (!signal.aborted && place.querySelector(".loading, .trouble")) fail(place, failure, look);
    }
  };
  await look();
  every(LOOK_EVERY, signal, look);
}

function periodChoice(days) {
  const link = (n) => h("a", { href: `#/?days=${n}`, "aria-current": n === days && "true" }, plural("overview.days", n));
  return h("div", { class: "segments", role: "group", "aria-label": t("overview.period") }, PERIODS.map(link));
}

function content(figures) {
  const { total } = figures;
  // The period ends before its last instant: the day shown is the one it still covers.
  const last = new Date(Date.parse(figures.until) - 1).toISOString();
  return [
    h("p", { class: "quiet range" }, t("overview.range", { from: date(figures.from), until: date(last) })),
    h("section", { class: "cards", "aria-label": t("overview.total") }, cards(total)),
    h("div", { class: "columns" }, path(total.sessions), appointments(total.appointments), troubles(total.sessions)),
    byChannel(figures),
    footnote(figures.channels.map((row) => row.channel)),
  ];
}

function cards({ sessions, conversion, no_show }) {
  const part = (x) => sessions.total > 0 ? t("overview.share", { share: share(x / sessions.total) }) : "";
  return [
    card(t("overview.sessions"), number(sessions.total)),
    card(t("overview.leads"), number(sessions.with_lead), part(sessions.with_lead)),
    card(t("overview.booked"), number(sessions.booked), part(sessions.booked)),
    card(t("overview.visited"), number(sessions.visited), part(sessions.visited)),
    rateCard("conversion", conversion),
    rateCard("noshow", no_show),
  ];
}

function card(label, value, note) {
  return h("div", { class: "card" }, h("h2", {}, label), h("p", { class: "figure" }, value),
    note && h("p", { class: "note" }, note));
}

function rateCard(name, rate) {
  const label = t(`overview.${name}`);
  if (rate.value === null) return card(label, "—", t("overview.norate"));
  const interval = { low: share(rate.low), high: share(rate.high), n: number(rate.n) };
  return h("div", { class: "card rate" },
    h("h2", {}, label),
    h("p", { class: "figure" }, share(rate.value, 1)),
    band(rate),
    h("p", { class: "note" }, t("overview.of", { x: number(rate.x), n: interval.n }), " · ", t("overview.likely", interval)),
    h("details", {}, h("summary", {}, t("overview.explain")),
      h("p", {}, t(`overview.explain.${name}`)), h("p", {}, t("overview.explain.interval", interval))));
}

/** The interval as a band, the share as a mark in it, on a track from 0 to 100 %. */
function band({ value, low, high }) {
  const percent = (x) => `${(100 * x).toFixed(2)}%`;
  return h("div", { class: "band", "aria-hidden": "true" },
    h("span", { class: "spread", style: { left: percent(low), width: percent(high - low) } }),
    h("span", { class: "mark", style: { left: percent(value) } }));
}

function path(sessions) {
  const rows = [
    ["overview.sessions", sessions.total],
    ["overview.leads", sessions.with_lead],
    ["overview.booked", sessions.booked],
    ["overview.visited", sessions.visited],
  ];
  return h("section", { class: "panel" }, h("h2", {}, t("overview.path")), bars(rows, sessions.total, ""),
    h("p", { class: "note" }, t("overview.path.note")));
}

function appointments(counts) {
  const rows = ["attended", "booked", "no_show", "cancelled"].map((key) => [`overview.appointments.${key}`, counts[key]]);
  const all = rows.reduce((sum, [, n]) => sum + n, 0);
  return h("section", { class: "panel" }, h("h2", {}, t("overview.appointments")), bars(rows, all, "calm"),
    h("p", { class: "note" }, t("overview.appointments.note")));
}

function troubles(sessions) {
  const rows = [
    ["overview.fallback", sessions.with_fallback],
    ["overview.handoff", sessions.handed_off],
    ["overview.refused", sessions.refused],
  ];
  return h("section", { class: "panel" }, h("h2", {}, t("overview.troubles")), bars(rows, sessions.total, "warm"));
}

function bars(rows, all, tone) {
  return h("dl", { class: `bars ${tone}` }, rows.map(([key, n]) => {
    const part = all > 0 ? n / all : 0;
    return h("div", {}, h("dt", {}, t(key)),
      h("dd", {}, h("span", { class: "bar" }, h("span", { style: { width: `${(100 * part).toFixed(2)}%` } })),
        h("span", { class: "count" }, number(n)), h("span", { class: "part" }, all > 0 ? share(part) : "")));
  }));
}

function byChannel({ channels, total }) {
  const columns = ["channel", "sessions", "leads", "booked", "visited", "conversion", "noshow"];
  const body = channels.map((row) => channelRow(channelLabel(row.channel), row, channel(row.channel)));
  const sum = channels.length > 1 && h("tfoot", {}, channelRow(t("overview.total"), total));
  return h("section", { class: "panel flush" }, h("h2", {}, t("overview.channels")),
    h("table", { class: "stacked" },
      h("thead", {}, h("tr", {}, columns.map((key) => h("th", { scope: "col", class: key !== "channel" && "number" }, t(`overview.${key}`))))),
      h("tbody", {}, body), sum));
}

function channelRow(label, { sessions, conversion, no_show }) {
  const cell = (key, ...content) => h("td", { class: "number", "data-label": t(`overview.${key}`) }, ...content);
  return h("tr", {},
    h("th", { scope: "row" }, label),
    cell("sessions", number(sessions.total)),
    cell("leads", number(sessions.with_lead)),
    cell("booked", number(sessions.booked)),
    cell("visited", number(sessions.visited)),
    rateCell("conversion", conversion),
    rateCell("noshow", no_show));
}

function rateCell(key, rate) {
  const attributes = { class: "number rate", "data-label": t(`overview.${key}`) };
  if (rate.value === null) return h("td", attributes, "—");
  const interval = t("overview.interval", { low: share(rate.low), high: share(rate.high) });
  return h("td", attributes, h("span", { class: "value" }, share(rate.value, 1)),
    h("span", { class: "note" }, `${t("overview.of", { x: number(rate.x), n: number(rate.n) })} · ${interval}`));
}

/** Nothing to show, and why: a quiet period, or a salon that has sent nothing yet. */
function empty(isNew) {
  if (!isNew) {
    return h("section", { class: "panel empty" }, h("h2", {}, t("overview.empty.period")), h("p", {}, t("overview.empty.other")));
  }
  const text = curl();
  return h("section", { class: "panel empty" }, h("h2", {}, t("overview.empty.title")), h("p", {}, t("overview.empty.text")),
    h("pre", { tabindex: 0 }, h("code", {}, text)), copyButton(text));
}

function curl() {
  const event = {
    timestamp: new Date().toISOString(), channel: "site", session_id: "first-steps", action: "create_lead",
    crm_lead_id: "BX-1", assistant_response: t("overview.empty.reply"),
  };
  return [
    `curl ${location.origin}/v1/events \\`,
    "  -H 'Authorization: Bearer letopis_ingest_…' \\",
    "  -H 'Content-Type: application/json' \\",
    `  -d '${JSON.stringify(event)}'`,
  ].join("\n");
}
