// What waits in quarantine, by cause: how many, since when, one opened as an example, all of them sent through again.

import { post } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { moment, number } from "./format.js";
import { plural, t, word } from "./i18n.js";
import { asking, explained } from "./parts.js";
import { mending } from "./remap.js";
import { MAPPED } from "./sources.js";

/** The cards of all groups. `changed` is called once entries have moved. */
export function groupCards({ groups, dismissed }, { reader, signal, changed }) {
  const list = (all) => h("ul", { class: "entries" }, all.map((group) => card(group, reader, signal, changed)));
  const many = dismissed.reduce((sum, group) => sum + group.dismissed, 0);
  return [
    groups.length > 0 && h("section", { class: "stack", "aria-label": t("groups.title") }, h("h2", {}, t("groups.title")), list(groups)),
    many > 0 && h("details", { class: "dismissed" }, h("summary", {}, plural("groups.dismissed", many)), list(dismissed)),
  ];
}

function card(group, reader, signal, changed) {
  const fact = (key, value) => value && h("div", {}, h("dt", {}, t(`quarantine.${key}`)), h("dd", {}, value));
  const [first, last] = [moment(group.first_at), moment(group.last_at)];
  return h("li", { class: "panel group" },
    h("div", { class: "heading" }, h("h3", {}, word("class", group.class)),
      h("span", { class: `status state-${group.dismissed > 0 ? "dismissed" : "open"}` },
        group.dismissed > 0 ? plural("groups.dismissed", group.dismissed) : plural("quarantine.open", group.open),
        group.replaying > 0 && ` · ${t("groups.replaying", { n: number(group.replaying) })}`)),
    group.expired > 0 && h("p", { class: "quiet" }, plural("groups.expired", group.expired)),
    h("dl", { class: "facts" },
      fact("where", group.pointer && h("code", {}, group.pointer)),
      fact("expected", h("span", { lang: "en" }, group.detail)),
      fact("received", first === last ? first : `${first} – ${last}`),
      fact("stage", word("stage", group.stage)),
      fact("source", h("a", { href: `#/sources/${encodeURIComponent(group.source)}` }, group.source))),
    h("div", { class: "buttons" },
      reader.scope === "admin" && group.open + group.replaying > group.expired && group.open > 0 && replaying(group, signal, changed),
      reader.scope === "admin" && group.open > 0 && MAPPED.includes(group.kind) && group.stage === "normalize" && mending(group.source, { signal, changed }),
      !reader.open && group.stage === "normalize" && group.open + group.replaying + group.dismissed > group.expired && opening(group.example),
      reader.scope === "admin" && group.open + group.replaying > 0 && dismissing(group, changed),
      reader.scope === "admin" && group.dismissed > 0 && takingBack(group, changed)));
}

function replaying(group, signal, changed) {
  const place = h("div", { class: "asking" });
  const button = h("button", { type: "button", class: "button", onclick: async () => {
    try {
      const sent = await sendThrough(place, `/v1/quarantine/groups/${group.id}/replay`, group.open, signal);
      fill(place, h("p", { class: "quiet" }, plural("groups.sent", sent)));
    } catch (failure) {
      fill(place, button, h("p", { class: "warning", role: "alert" }, explained(failure)));
    }
    if (!signal.aborted) setTimeout(changed, 1_500);
  } }, plural("groups.replay", group.open));
  fill(place, button);
  return place;
}

/**
 * Asks for one step of a replay after the other and shows how far it is; gives back how many were sent. Leaving the page
 * stops it, and it can be begun again.
 */
export async function sendThrough(place, path, total, signal) {
  const bar = h("progress", { max: total, value: 0, "aria-label": t("groups.sending") });
  const count = h("span", { class: "quiet" });
  fill(place, h("p", { class: "going" }, bar, count));
  let [sent, before, more] = [0, null, true];
  while (more && !signal.aborted) {
    const step = await post(path, {}, { before });
    sent += step.sent;
    ({ before, more } = step);
    bar.value = sent;
    count.textContent = t("groups.progress", { done: number(sent), total: number(Math.max(total, sent)) });
  }
  announce(t("quarantine.replay.done"));
  return sent;
}

/** Opens one body, after its reader said why; both are written down. */
function opening(receipt) {
  const shown = (place, rest) => async (reason) => {
    const { body } = await post(`/v1/quarantine/${receipt}/open`, { reason });
    fill(place, h("div", { class: "stack" }, h("pre", { class: "snippet", tabindex: 0 }, pretty(body)),
      h("button", { type: "button", class: "button", onclick: rest }, t("groups.close"))));
  };
  return asking({
    ask: t("groups.open"), sure: t("groups.open.sure"), why: t("groups.why"), yes: t("groups.open.yes"), act: shown,
    explain: (failure) => failure.status === 409 ? t("groups.sealed") : explained(failure),
  });
}

/** What nobody can mend waits no more, after somebody said why. */
function dismissing(group, changed) {
  const act = (place) => async (reason) => {
    const { moved } = await post(`/v1/quarantine/groups/${group.id}/dismiss`, { reason });
    announce(plural("groups.dismissed", moved));
    fill(place, h("p", { class: "quiet" }, plural("groups.dismissed", moved)));
    setTimeout(changed, 800);
  };
  return asking({ ask: t("groups.dismiss"), sure: t("groups.dismiss.sure"), why: t("groups.dismiss.why"), yes: t("groups.dismiss.yes"), act });
}

function takingBack(group, changed) {
  const place = h("div", { class: "asking" });
  const button = h("button", { type: "button", class: "button", onclick: async () => {
    button.disabled = true;
    try {
      await post(`/v1/quarantine/groups/${group.id}/take-back`);
      changed();
    } catch (failure) {
      button.disabled = false;
      fill(place, button, h("p", { class: "warning", role: "alert" }, explained(failure)));
    }
  } }, t("groups.back"));
  fill(place, button);
  return place;
}

/** JSON in lines, where it is JSON. */
function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
