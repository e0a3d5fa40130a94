// The doors of a business and how they are doing, and adding one.

import { post, watched } from "./api.js";
import { fill, h } from "./dom.js";
import { moment, number } from "./format.js";
import { plural, t, word } from "./i18n.js";
import { copyButton, every, explained, fail, footnote, heading, icon, loading } from "./parts.js";

export const KINDS = ["events", "telegram", "whatsapp", "instagram", "vk", "max", "wazzup", "avito", "jivo", "yclients",
  "otlp", "cloudevents", "mapping"];
/** What another system sends is read as somebody says. */
export const MAPPED = ["mapping", "cloudevents"];
const LOOK_EVERY = 5_000;
/** Meta signs with the secret of its app, so a source of these cannot have one made here. */
const SECRET_IS_GIVEN = ["whatsapp", "instagram"];

export async function sources({ main, reader, signal }) {
  const place = h("div", { class: "stack" }, loading());
  const mayChange = reader.scope === "admin";
  fill(main,
    heading(t("sources.title"), mayChange && h("a", { class: "button primary", href: "#/sources/+" }, t("sources.add"))),
    h("p", { class: "lead" }, t("sources.lead")), place);
  const read = watched("/v1/sources");
  const look = async () => {
    try {
      const answer = await read();
      if (answer && !signal.aborted) fill(place, list(answer.sources, mayChange));
    } catch (failure) {
      if (!signal.aborted && place.querySelector(".loading, .trouble")) fail(place, failure, look);
    }
  };
  await look();
  every(LOOK_EVERY, signal, look);
}

function list(all, mayChange) {
  if (all.length === 0) return h("p", { class: "panel empty" }, t(mayChange ? "sources.empty" : "sources.empty.read"));
  return [h("ul", { class: "doors" }, all.map(card)), footnote(all.map(({ kind }) => kind))];
}

function card(source) {
  return h("li", { class: "panel door" },
    h("div", { class: "heading" },
      h("h2", {}, h("a", { class: "cover", href: `#/sources/${encodeURIComponent(source.id)}` }, source.name)),
      condition(source)),
    h("p", { class: "quiet" }, kindName(source.kind), source.name !== source.id && [" · ", h("code", {}, source.id)]),
    source.last_event_at && h("p", { class: "comes" }, pulse(source)),
    troubles(source));
}

export function condition(source) {
  const kind = { waiting: "wait", receiving: "good", quiet: "" }[source.condition];
  return h("span", { class: `status ${kind}` }, t(`condition.${source.condition}`));
}

/** How much comes, and when the last came. */
function pulse(source) {
  return [t("sources.last", { when: moment(source.last_event_at) }), " · ",
    plural("sources.hour", source.events_last_hour), " · ", plural("sources.day", source.events_last_day)];
}

/** What somebody should look at. */
export function troubles(source) {
  const refused = source.refused.reduce((sum, { times }) => sum + times, 0);
  const all = [
    refused > 0 && t("sources.refused", {
      times: plural("sources.times", refused), why: t(`refusal.${source.last_refused.reason}`), when: moment(source.last_refused.at),
    }),
    source.quarantined > 0 && plural("sources.quarantined", source.quarantined),
    source.clock_ahead && t("sources.ahead", { by: ahead(source.greatest_ahead_ms) }),
  ].filter(Boolean);
  return all.map((text) => h("p", { class: "warning" }, icon("warning"), h("span", {}, text)));
}

export function ahead(milliseconds) {
  const minutes = Math.round(milliseconds / 60_000);
  return minutes < 1 ? t("sources.seconds", { n: number(Math.round(milliseconds / 1_000)) }) : plural("sources.minutes", minutes);
}

export function kindName(kind) {
  const name = t(`kind.${kind}`);
  const isMetas = SECRET_IS_GIVEN.includes(kind) && t("meta.footnote") !== "";
  return isMetas ? `${name}*` : name;
}

/** Adding one: which channel, what it is called. */
export function newSource({ main, reader, signal }) {
  if (reader.scope !== "admin") {
    fill(main, back(), h("p", { class: "panel empty" }, t("sources.admin")));
    return;
  }
  const id = field("id", { pattern: "[A-Za-z0-9._\\-]{1,64}", required: true, autocomplete: "off", spellcheck: "false", placeholder: "salon-bot" });
  const name = field("name", { maxlength: 128, autocomplete: "off" });
  const secret = field("secret", { maxlength: 256, autocomplete: "off", spellcheck: "false" });
  const mapping = area("mapping", { rows: 12, spellcheck: "false" });
  const say = h("p", { class: "warning", role: "alert", hidden: true });
  const button = h("button", { class: "button primary" }, t("sources.add"));
  const kinds = h("fieldset", { class: "kinds" }, h("legend", {}, t("sources.kind")), KINDS.map((kind, index) =>
    h("label", { class: "kind" }, h("input", { type: "radio", name: "kind", value: kind, checked: index === 1, onchange: () => choose(kind) }),
      h("span", {}, h("strong", {}, kindName(kind)), h("small", {}, t(`kind_what.${kind}`))))));
  const choose = (kind) => {
    secret.input.required = SECRET_IS_GIVEN.includes(kind);
    secret.label.hidden = !["whatsapp", "instagram", "vk"].includes(kind);
    mapping.label.hidden = !MAPPED.includes(kind);
    mapping.input.required = kind === "mapping";
    secret.hint.textContent = t(SECRET_IS_GIVEN.includes(kind) ? "sources.secret.meta" : "sources.secret.vk");
  };
  const form = h("form", { class: "panel form", onsubmit: async (event) => {
    event.preventDefault();
    button.disabled = true;
    say.hidden = true;
    const kind = new FormData(form).get("kind");
    try {
      const made = await post("/v1/sources", {
        id: id.input.value.trim(), kind, name: name.input.value,
        secret: secret.label.hidden ? null : secret.input.value,
        mapping: MAPPED.includes(kind) && mapping.input.value.trim() ? mapping.input.value : null,
      });
      if (!signal.aborted) fill(main, back(), heading(t("sources.added", { name: made.source.name })), shownOnce(made), followed(made.source));
    } catch (failure) {
      button.disabled = false;
      say.hidden = false;
      say.textContent = failure.status === 409 ? t("sources.taken") : failure.status === 400 ? faults(failure) : explained(failure);
    }
  } }, kinds, id.label, name.label, secret.label, mapping.label, say, button);
  choose(KINDS[1]);
  fill(main, back(), heading(t("sources.add")), form, footnote(["whatsapp"]));
}

/** What of a mapping is wrong, and where; of anything else only that something is. */
export function faults({ problem }) {
  const all = (problem?.errors ?? []).filter(({ pointer }) => pointer.startsWith("/mapping"));
  return all.length > 0 ? all.map(({ pointer, expected }) => `${pointer}: ${expected}`).join("; ") : t("sources.wrong");
}

function area(key, attributes) {
  return labelled(key, h("textarea", { name: key, class: "code", autocapitalize: "off", ...attributes }));
}

function field(key, attributes) {
  return labelled(key, h("input", { name: key, ...attributes }));
}

function labelled(key, input) {
  const hint = h("small", { class: "quiet" }, t(`hint.${key}`));
  return { input, hint, label: h("label", { class: "field" }, h("span", {}, t(`sources.${key}`)), input, hint) };
}

export function back() {
  return h("a", { class: "back", href: "#/sources" }, icon("back"), t("sources.title"));
}

/** A secret, this once, and where it goes. */
export function shownOnce({ source, secret, paste }) {
  const row = (key, value) => value && h("div", {}, h("dt", {}, t(`paste.${key}`)), h("dd", {}, h("code", {}, value), " ", copyButton(value)));
  return h("section", { class: "panel secret" },
    h("h2", {}, t("paste.title")),
    h("p", { class: "warning" }, icon("warning"), h("span", {}, t("paste.once"))),
    h("p", {}, t(`paste.where.${source.kind}`)),
    source.kind === "otlp" && exporter(paste.url, secret),
    h("dl", { class: "facts down" }, row("url", paste.url), row("secret", secret), row("verify_token", paste.verify_token)));
}

/** What any exporter reads from its environment: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
function exporter(url, secret) {
  const lines = [
    "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    `OTEL_EXPORTER_OTLP_ENDPOINT=${url}`,
    `OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20${encodeURIComponent(secret)}`,
  ].join("\n");
  return h("div", { class: "stack" }, h("pre", { tabindex: 0, class: "snippet" }, lines), copyButton(lines));
}

function followed(source) {
  return h("p", {}, h("a", { class: "button primary", href: `#/sources/${encodeURIComponent(source.id)}` }, t("sources.watch")));
}
