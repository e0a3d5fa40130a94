// Pieces several views share.

import { announce, fill, h, svg } from "./dom.js";
import { channel, needsFootnote } from "./format.js";
import { t } from "./i18n.js";

const ICONS = {
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20 20",
  back: "M14.5 5.5 8 12l6.5 6.5",
  warning: "M12 4 2.8 19.5h18.4L12 4ZM12 10v4.5M12 17v.2",
  check: "M5 12.5 10 17.5 19.5 7",
};

export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", width: 20, height: 20, class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: ICONS[name] }));
}

export function heading(text, ...extra) {
  document.title = `${text} · ${t("app.name")}`;
  return h("div", { class: "heading" }, h("h1", {}, text), ...extra);
}

export function loading() {
  return h("p", { class: "quiet loading" }, t("state.loading"));
}

export function channelLabel(word) {
  return h("span", { class: `channel channel-${word}` }, channel(word));
}

export function outcomeLabel(word) {
  return h("span", { class: `outcome outcome-${word}` }, t(`outcome.${word}`));
}

/** The footnote the law asks for when a Russian text names a service of Meta's. */
export function footnote(channels) {
  return channels.some(needsFootnote) && h("p", { class: "footnote" }, t("meta.footnote"));
}

/** A choice out of a few, as a labelled select. */
export function choice(label, options, value, onchange) {
  const items = options.map(([key, text]) => h("option", { value: key, selected: key === (value ?? "") }, text));
  return h("label", { class: "choice" }, h("span", {}, label),
    h("select", { onchange: (event) => onchange(event.target.value) }, items));
}

/** What went wrong, in words for a person, with a way to try again. */
export function trouble(failure, again) {
  if (failure.status === 404) {
    return h("section", { class: "panel empty", role: "alert" },
      h("h1", {}, t("error.notfound")), h("p", {}, t("error.notfound.why")));
  }
  const key = { 0: "network", 403: "forbidden", 503: "unavailable" }[failure.status] ?? "other";
  const request = failure.problem?.request_id;
  return h("section", { class: "panel trouble", role: "alert" },
    h("h2", {}, t("error.title")), h("p", {}, t(`error.${key}`)),
    request && h("p", { class: "quiet" }, `${t("error.request")}: `, h("code", {}, request)),
    again && h("button", { type: "button", class: "button", onclick: again }, t("error.retry")));
}

/** What went wrong and what to do next, in one line, for a form that stays as it is. */
export function explained(failure) {
  const key = { 0: "retry.network", 401: "retry.login", 403: "error.forbidden", 503: "retry.unavailable" }[failure.status];
  return t(key ?? "retry.other");
}

/** Shows a failure; a reader whose key ended is sent to the login. */
export function fail(place, failure, again) {
  if (failure.status === 401) {
    location.reload();
    return;
  }
  fill(place, trouble(failure, again));
}

/**
 * Calls `look` every `milliseconds` while the page is visible and until `signal` ends, and at once when the page
 * comes back. A hidden page costs the server nothing.
 */
export function every(milliseconds, signal, look) {
  let timer = null;
  const turn = async () => {
    clearTimeout(timer);
    if (signal.aborted || document.hidden) return;
    await look();
    if (!signal.aborted) timer = setTimeout(turn, milliseconds);
  };
  document.addEventListener("visibilitychange", turn, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  timer = setTimeout(turn, milliseconds);
}

/**
 * A button that asks why before it does something: a form takes its place, with what will come of it. `act` is given the
 * place and how to put the button back, and gives back what is done with the reason; while it fails the form stays as typed.
 */
export function asking({ ask, sure, why, yes, act, explain = explained }) {
  const place = h("div", { class: "asking" });
  const rest = () => fill(place, h("button", { type: "button", class: "button", onclick: open }, ask));
  const open = () => {
    const input = h("input", { required: true, maxlength: 500, autocomplete: "off" });
    const submit = h("button", { class: "button" }, yes);
    const say = h("p", { class: "warning", role: "alert", hidden: true });
    fill(place, h("form", { class: "sure", onsubmit: async (event) => {
      event.preventDefault();
      submit.disabled = true;
      say.hidden = true;
      try {
        await act(place, rest)(input.value);
      } catch (failure) {
        submit.disabled = false;
        say.hidden = false;
        say.textContent = explain(failure);
      }
    } }, h("p", { class: "quiet" }, sure), h("label", { class: "field" }, h("span", {}, why), input), say,
      h("div", { class: "buttons" }, submit, h("button", { type: "button", class: "button", onclick: rest }, t("cancel")))));
    input.focus();
  };
  rest();
  return place;
}

/** A button that copies a text. */
export function copyButton(text) {
  const button = h("button", { type: "button", class: "button small", onclick: async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = t("copied");
    announce(t("copied"));
  } }, t("copy"));
  // The clipboard is there only over HTTPS and on this very machine.
  return navigator.clipboard ? button : null;
}
