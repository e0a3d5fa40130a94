// What waits in quarantine, by cause: how many, since when, one opened as an example, all of them sent through again.

import { post } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { moment, number } from "./format.js";
import { plural, t, word } from "./i18n.js";
import { explained } from "./parts.js";
import { mending } from "./remap.js";

/** The cards of all groups. `changed` is called once entries have moved. */
export function groupCards(groups, { reader, signal, changed }) {
  if (groups.length === 0) return null;
  return h("section", { class: "stack", "aria-label": t("groups.title") },
    h("h2", {}, t("groups.title")),
    h("ul", { class: "entries" }, groups.map((group) => card(group, reader, signal, changed))));
}

function card(group, reader, signal, changed) {
  const fact = (key, value) => value && h("div", {}, h("dt", {}, t(`quarantine.${key}`)), h("dd", {}, value));
  const [first, last] = [moment(group.first_at), moment(group.last_at)];
  return h("li", { class: "panel group" },
    h("div", { class: "heading" }, h("h3", {}, word("class", group.class)),
      h("span", { class: "status state-open" }, plural("quarantine.open", group.open),
        group.replaying > 0 && ` · ${t("groups.replaying", { n: number(group.replaying) })}`)),
    h("dl", { class: "facts" },
      fact("where", group.pointer && h("code", {}, group.pointer)),
      fact("expected", h("span", { lang: "en" }, group.detail)),
      fact("received", first === last ? first : `${first} – ${last}`),
      fact("stage", word("stage", group.stage)),
      fact("source", h("a", { href: `#/sources/${encodeURIComponent(group.source)}` }, group.source))),
    h("div", { class: "buttons" },
      reader.scope === "admin" && group.open > 0 && replaying(group, signal, changed),
      reader.scope === "admin" && group.kind === "mapping" && group.stage === "normalize" && mending(group.source, { signal, changed }),
      !reader.open && group.stage === "normalize" && opening(group.example)));
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
  const place = h("div", { class: "asking" });
  const rest = () => fill(place, h("button", { type: "button", class: "button", onclick: ask }, t("groups.open")));
  const ask = () => {
    const input = h("input", { required: true, maxlength: 500, autocomplete: "off", "aria-label": t("groups.why"), placeholder: t("groups.why") });
    const yes = h("button", { class: "button" }, t("groups.open.yes"));
    const say = h("p", { class: "warning", role: "alert", hidden: true });
    fill(place, h("form", { class: "sure", onsubmit: async (event) => {
      event.preventDefault();
      yes.disabled = true;
      say.hidden = true;
      try {
        const { body } = await post(`/v1/quarantine/${receipt}/open`, { reason: input.value });
        fill(place, h("div", { class: "stack" }, h("pre", { class: "snippet", tabindex: 0 }, pretty(body)),
          h("button", { type: "button", class: "button", onclick: rest }, t("groups.close"))));
      } catch (failure) {
        yes.disabled = false;
        say.hidden = false;
        say.textContent = t(failure.status === 409 ? "groups.sealed" : failure.status === 403 ? "error.forbidden" : "error.other");
      }
    } }, h("p", { class: "quiet" }, t("groups.open.sure")), input, say, h("div", { class: "buttons" }, yes,
      h("button", { type: "button", class: "button", onclick: rest }, t("cancel")))));
    input.focus();
  };
  rest();
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
