// One door: what came last, what was refused, its secrets, and how to send to it.

import { post, watched } from "./api.js";
import { entries } from "./bubbles.js";
import { announce, fill, h } from "./dom.js";
import { exact, moment, number } from "./format.js";
import { plural, t } from "./i18n.js";
import { mending } from "./remap.js";
import { copyButton, fail, footnote, heading, loading } from "./parts.js";
import { MAPPED, ahead, back, condition, kindName, shownOnce, troubles } from "./sources.js";

/** Looked at often while something is awaited, ever less often while nothing changes. */
const SOONEST = 1_000;
const LATEST = 15_000;
const SNIPPETS = [["curl", "curl.sh"], ["python", "client.py"], ["aiogram", "aiogram_bot.py"], ["node", "client.mjs"]];

export async function source({ main, reader, signal, id }) {
  const top = h("div", { class: "stack" }, loading());
  const secrets = h("div", { class: "stack" });
  const snippets = h("div", { class: "stack" });
  fill(main, back(), top, secrets, snippets);
  const path = `/v1/sources/${encodeURIComponent(id)}`;
  const state = { path, main, reader, signal, secrets, key: null };
  const read = watched(path);
  let shown = null;
  let pause = SOONEST;
  const look = async () => {
    if (signal.aborted || document.hidden) return;
    try {
      const answer = await read();
      if (signal.aborted) return;
      if (answer) {
        const isNew = shown && answer.last_event && answer.last_event.id !== shown.last_event?.id;
        if (isNew) announce(t("source.arrived"));
        fill(top, head(answer, isNew));
        if (!shown || shown.source.secrets.join() !== answer.source.secrets.join()) drawSecrets(state, answer.source);
        if (!shown) drawSnippets(snippets, state, answer.source);
        if (!shown && MAPPED.includes(answer.source.kind) && reader.scope === "admin") drawMapping(snippets, state, answer.source);
        shown = answer;
      }
      pause = answer ? SOONEST : Math.min(pause * 1.5, LATEST);
    } catch (failure) {
      if (!signal.aborted && !shown) return fail(top, failure, look);
      pause = LATEST;
    }
    if (!signal.aborted) setTimeout(look, pause);
  };
  document.addEventListener("visibilitychange", () => {
    pause = SOONEST;
    look();
  }, { signal });
  await look();
}

function head({ source, last_event }, isNew) {
  const fact = (key, value) => value !== null && h("div", {}, h("dt", {}, t(`source.${key}`)), h("dd", {}, value));
  return [
    heading(source.name, condition(source)),
    h("section", { class: "panel" },
      h("dl", { class: "facts" },
        fact("kind", kindName(source.kind)),
        fact("id", h("code", {}, source.id)),
        fact("first", source.first_event_at && h("time", { title: exact(source.first_event_at) }, moment(source.first_event_at))),
        fact("last", source.last_event_at && h("time", { title: exact(source.last_event_at) }, moment(source.last_event_at))),
        fact("hour", number(source.events_last_hour)),
        fact("day", number(source.events_last_day)),
        fact("skew", source.last_skew_ms !== null && source.last_event_at ? skew(source.last_skew_ms) : null),
        fact("rate", source.rate_limit && number(source.rate_limit))),
      troubles(source),
      source.refused.length > 0 && refusals(source)),
    last_event ? arrived(last_event, isNew) : waiting(source),
    footnote([source.kind]),
  ];
}

/** A second or two is the way through the net. */
function skew(milliseconds) {
  if (Math.abs(milliseconds) < 5_000) return t("source.skew.none");
  return t(milliseconds > 0 ? "source.skew.ahead" : "source.skew.behind", { by: ahead(Math.abs(milliseconds)) });
}

function refusals(source) {
  return h("details", {}, h("summary", {}, t("source.refused")),
    h("ul", { class: "reasons" }, source.refused.map(({ reason, times, last_at }) =>
      h("li", {}, h("strong", {}, plural("sources.times", times)), ` ${t(`refusal.${reason}`)}, ${moment(last_at)}. `,
        h("span", { class: "quiet" }, t(`refusal_do.${reason}`))))));
}

function waiting(source) {
  const text = source.condition === "waiting" ? t("source.waiting") : t("source.swept");
  return h("section", { class: "panel awaited", "aria-live": "polite" }, source.condition === "waiting" && h("span", { class: "ripple", "aria-hidden": "true" }),
    h("h2", {}, text), source.condition === "waiting" && h("p", { class: "quiet" }, t(source.kind === "events" ? "source.waiting.example" : "source.waiting.how")));
}

function arrived(event, isNew) {
  return h("section", { class: "panel" },
    h("h2", {}, t("source.understood")),
    h("ol", { class: "chat" }, entries(event, { fresh: isNew })),
    h("p", {}, h("a", { href: `#/sessions/${encodeURIComponent(event.session)}` }, t("source.conversation"))));
}

function drawSecrets(state, source) {
  const { secrets, reader } = state;
  // A secret that is shown this once must outlive the news that there is another.
  const kept = [...secrets.querySelectorAll(".secret")];
  const made = source.secrets;
  const latest = made.length > 0 ? t("source.secrets.made", { when: moment(made[made.length - 1]) }) : t("source.secrets.none");
  const say = h("p", { class: "warning", role: "alert", hidden: true });
  // The secret of a Meta app is made at Meta, and typed.
  const isMetas = ["whatsapp", "instagram"].includes(source.kind);
  const buttons = reader.scope === "admin" && h("div", { class: "buttons" },
    asking("rotate", (given) => change(state, "rotate", say, given), isMetas && t("sources.secret.meta")),
    made.length > 1 && asking("retire", () => change(state, "retire", say)));
  fill(secrets, kept, h("section", { class: "panel" },
    h("h2", {}, t("source.secrets")),
    h("p", {}, latest, made.length > 1 && ` ${t("source.secrets.two", { when: moment(made[0]) })}`),
    h("p", { class: "quiet" }, t("source.url"), " ", h("code", {}, source.url), " ", copyButton(source.url)),
    reader.scope === "admin" ? h("p", { class: "note" }, t("source.secrets.how")) : h("p", { class: "note" }, t("sources.admin")),
    buttons, say));
}

/** A button that asks once more before it does anything; with `typed`, for something that has to be typed. */
function asking(key, act, typed = null) {
  const place = h("div", { class: "asking" });
  const rest = () => fill(place, h("button", { type: "button", class: "button", onclick: ask }, t(`source.${key}`)));
  const ask = () => {
    const input = !typed ? null : h("input", { required: true, maxlength: 256, autocomplete: "off", spellcheck: "false", "aria-label": typed, placeholder: typed });
    const yes = h("button", { class: "button danger" }, t(`yes.${key}`));
    fill(place, h("form", { class: "sure", onsubmit: async (event) => {
      event.preventDefault();
      yes.disabled = true;
      await act(input?.value);
      rest();
    } }, h("p", { class: "quiet" }, t(`sure.${key}`)), input, h("div", { class: "buttons" }, yes,
      h("button", { type: "button", class: "button", onclick: rest }, t("cancel")))));
    (input ?? yes).focus();
  };
  rest();
  return place;
}

async function change({ path, signal, secrets }, what, say, given) {
  say.hidden = true;
  try {
    const made = await post(`${path}/${what}`, given ? { secret: given } : {});
    if (signal.aborted) return;
    if (what === "rotate") secrets.prepend(shownOnce(made));
    announce(t(`done.${what}`));
  } catch (failure) {
    say.hidden = false;
    say.textContent = t(failure.status === 403 ? "error.forbidden" : failure.status === 400 ? "sources.wrong" : "error.other");
  }
}

/** How to send, in the languages bots are written in. A messenger sends by itself. */
function drawSnippets(place, state, source) {
  if (source.kind !== "events") return;
  const code = h("code", {});
  const copying = h("span", {});
  const tabs = h("div", { class: "segments", role: "group", "aria-label": t("snippet.title") });
  const choose = async ([name, file]) => {
    for (const tab of tabs.children) tab.setAttribute("aria-current", String(tab.dataset.name === name));
    const template = await fetch(`/assets/${file}`).then((answer) => answer.text());
    const url = source.url.replace(/\/v1\/hooks\/.*$/, "/v1/events");
    const text = template.replaceAll("{{EVENTS_URL}}", url).replaceAll("{{KEY}}", state.key ?? "letopis_ingest_…");
    code.textContent = text;
    fill(copying, copyButton(text));
    state.chosen = [name, file];
  };
  fill(tabs, SNIPPETS.map((item) => {
    const tab = h("button", { type: "button", "data-name": item[0], onclick: () => choose(item) }, t(`snippet.${item[0]}`));
    return tab;
  }));
  const key = h("div", {}, state.reader.scope === "admin" ? keyButton(state, source, () => choose(state.chosen)) : h("p", { class: "note" }, t("snippet.key.admin")));
  fill(place, h("section", { class: "panel" }, h("h2", {}, t("snippet.title")), key, tabs,
    h("pre", { tabindex: 0, class: "snippet" }, code), copying));
  choose(SNIPPETS[0]);
}

/** How its bodies are read, and mending that. */
function drawMapping(place, { signal }, source) {
  fill(place, h("section", { class: "panel" }, h("h2", {}, t("remap.mapping")), h("p", { class: "note" }, t("remap.what")),
    mending(source.id, { signal, changed: () => {} })));
}

function keyButton(state, source, redraw) {
  const place = h("div", { class: "stack" });
  const button = h("button", { type: "button", class: "button", onclick: async () => {
    button.disabled = true;
    try {
      const made = await post(`${state.path}/keys`, {});
      state.key = made.key;
      fill(place, h("p", { class: "warning" }, t("snippet.key.once")), h("p", {}, h("code", {}, made.key), " ", copyButton(made.key)));
      redraw();
    } catch {
      button.disabled = false;
      button.after(h("p", { class: "warning", role: "alert" }, t("error.other")));
    }
  } }, t("snippet.key"));
  fill(place, h("p", { class: "note" }, t("snippet.key.why")), button);
  return place;
}
