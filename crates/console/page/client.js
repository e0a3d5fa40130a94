// One client over all channels: who that is, the doors they came through, what they agreed to, and the whole history.

import { get, post } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { channel, moment, number } from "./format.js";
import { t, word } from "./i18n.js";
import { asking, channelLabel, explained, fail, heading, icon, loading } from "./parts.js";
import { backLink, fact, follow } from "./timeline.js";

/** How long a ruling may take to be recorded before somebody is told to come back later. */
const PATIENCE = 10_000;

/** How much of either end of a long path is shown. */
const STEPS = 3;

export async function clientTimeline({ main, id, signal, reader }) {
  const place = h("div", { class: "stack" }, loading());
  fill(main, h("div", { class: "stack column" }, backLink(), place));
  const again = () => clientTimeline({ main, id, signal, reader });
  try {
    // The address may hold what somebody typed: it is looked up in a body, and the stored id takes its place.
    const found = await post("/v1/subjects/lookup", { typed: id });
    const path = `/v1/subjects/${encodeURIComponent(found.id)}`;
    const [subject, consents] = await Promise.all([get(path), get(`${path}/consents`)]);
    if (signal.aborted) return;
    history.replaceState(null, "", `#/clients/${encodeURIComponent(subject.id)}`);
    const rule = reader.scope === "admin" ? ruler({ path, subject, again, signal }) : null;
    await follow({ place, signal, path: `${path}/events`, summary: ({ events }) => summary({ subject, consents, events, rule }) });
  } catch (failure) {
    if (!signal.aborted) fail(place, failure, again);
  }
}

function summary({ subject, consents, rule }) {
  const { first_touch: first, last_touch: last, identities } = subject;
  const leads = identities.filter(({ kind }) => kind === "lead");
  const known = [...new Set(identities.map(({ kind }) => kind))].filter((kind) => !["lead", "appointment"].includes(kind));
  return [
    heading(t("client.title")),
    h("dl", { class: "facts" },
      first ? fact(t("client.first"), channelLabel(first.channel), " ", time(first.first_at))
        : subject.is_cut_short && fact(t("client.first"), t("client.unread")),
      last && fact(t("client.last"), channelLabel(last.channel), " ", time(last.last_at)),
      subject.path.length > 1 && fact(t("client.path"), steps(subject)),
      known.length > 0 && fact(t("timeline.known"), known.map((kind) => word("alias", kind)).join(", ")),
      leads.length > 0 && fact(t("timeline.lead"), leads.map(({ id }, n) =>
        [n > 0 && ", ", h("a", { href: `#/leads/${encodeURIComponent(id)}` }, id)])),
      fact(t("client.consents"), held(consents))),
    doubts(subject, rule),
  ];
}

/** Through which doors, one after the other; of many the first and the last. */
function steps({ path, is_cut_short: isCutShort }) {
  const left = path.length - 2 * STEPS;
  const more = t("client.path.more", { n: number(left) });
  const shown = path.map((word) => channel(word));
  const all = left > 1 ? [...shown.slice(0, STEPS), more, ...shown.slice(-STEPS)] : shown;
  return [...(isCutShort ? ["…"] : []), ...all].join(" → ");
}

/** What holds, a purpose once. Where not all was read, "none given" would be more than anybody knows. */
function held({ current, is_cut_short: isCutShort }) {
  if (current.length > 0) return current.map(consent);
  return t(isCutShort ? "client.unread" : "client.consents.none");
}

function consent({ purpose, granted, at, channel: through }) {
  const word = t(granted ? "client.granted" : "client.withdrawn", { purpose: t(`client.purpose.${purpose}`) });
  return h("span", { class: "line" }, word, " · ", channelLabel(through), " ", time(at));
}

/** What a person may know better than we do. */
function doubts(subject, rule) {
  const accounts = subject.identities.filter(({ kind }) => kind === "messenger");
  return [
    subject.is_cut_short && doubt(t("client.cut")),
    subject.several_accounts.length > 0 && doubt(
      t("client.several", { channels: subject.several_accounts.map((word) => channel(word)).join(", ") }),
      rule && accounts.map((identity, n) => rule("splits", identity, t("client.split", { n: n + 1 })))),
    subject.shared.length > 0 && doubt(t("client.shared")),
    ...subject.suggestions.map(({ identity, session }) => doubt(
      [t("client.suggestion", { known: word("alias", identity.kind) }), " ",
        h("a", { href: `#/sessions/${encodeURIComponent(session)}` }, t("client.suggestion.where"))],
      rule && rule("joins", identity, t("client.join")))),
  ];
}

function doubt(text, ...actions) {
  return h("div", { class: "warning" }, icon("warning"), h("div", { class: "stack" }, h("p", {}, text), ...actions));
}

/** Makes the button of a ruling: it asks why, says what will come of it, and the view is drawn anew once it is recorded. */
function ruler({ path, subject, again, signal }) {
  const act = (ruling, identity) => (place) => async (reason) => {
    await post(`${path}/${ruling}`, { identity, reason });
    fill(place, h("p", { role: "status" }, t("client.ruled")));
    announce(t("client.ruled"));
    const isRecorded = await recorded(path, subject, signal);
    if (signal.aborted) return;
    if (isRecorded) again();
    else fill(place, h("p", { role: "status" }, t("client.ruled.late")));
  };
  return (ruling, identity, ask) => asking({
    ask, sure: t(`client.sure.${ruling}`), why: t(`client.why.${ruling}`), yes: t(`client.yes.${ruling}`), act: act(ruling, identity),
    explain: (failure) => [404, 409].includes(failure.status) ? t(`client.conflict.${ruling}`) : explained(failure),
  });
}

/** Whether the client became another one before long. */
async function recorded(path, subject, signal) {
  const until = Date.now() + PATIENCE;
  const before = JSON.stringify(subject.identities);
  while (!signal.aborted && Date.now() < until) {
    const now = await get(path).catch(() => null);
    if (now && JSON.stringify(now.identities) !== before) return true;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return false;
}

function time(at) {
  return h("time", { datetime: at }, moment(at));
}
