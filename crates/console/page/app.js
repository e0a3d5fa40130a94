// The frame around the views: who is here, which view the address asks for, and when to look again.

import { Failure, chooseTenant, chosenTenant, get, post } from "./api.js";
import { clientTimeline } from "./client.js";
import { fill, h } from "./dom.js";
import { currentLanguage, plural, switchLanguage, t } from "./i18n.js";
import { icon } from "./parts.js";
import { login } from "./login.js";
import { overview } from "./overview.js";
import { quarantine } from "./quarantine.js";
import { sessions } from "./sessions.js";
import { source } from "./source.js";
import { settings } from "./settings.js";
import { newSource, sources } from "./sources.js";
import { leadTimeline, sessionTimeline } from "./timeline.js";

const BADGE_EVERY = 30_000;
const main = document.getElementById("main");

let reader = null;
let view = null;
let badge = { count: 0, more: false };

/** A view gets its place, what the address says, who reads, and a signal that ends when it is left. */
function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [section, ...rest] = path.split("/");
  const parameters = new URLSearchParams(query);
  const id = decode(rest.join("/"));
  if (section === "sessions" && id) return { name: "sessions", show: sessionTimeline, id, parameters };
  if (section === "sessions") return { name: "sessions", show: sessions, parameters };
  if (section === "clients" && id) return { name: "sessions", show: clientTimeline, id, parameters };
  if (section === "leads" && id) return { name: "sessions", show: leadTimeline, id, parameters };
  if (section === "sources" && id === "+") return { name: "sources", show: newSource, parameters };
  if (section === "sources" && id) return { name: "sources", show: source, id, parameters };
  if (section === "sources") return { name: "sources", show: sources, parameters };
  if (section === "quarantine") return { name: "quarantine", show: quarantine, parameters };
  if (section === "settings") return { name: "settings", show: settings, parameters };
  return { name: "overview", show: overview, parameters };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function show() {
  view?.abort();
  view = new AbortController();
  frame();
  const asked = route();
  document.title = t("app.name");
  window.scrollTo(0, 0);
  asked.show({ main, reader, signal: view.signal, ...asked, refreshBadge });
}

function frame() {
  document.documentElement.lang = currentLanguage();
  document.getElementById("skip").textContent = t("app.skip");
  fill(document.getElementById("top"), brand(), reader && navigation(),
    reader?.tenants.length > 1 && tenantChoice(), reader && search(), controls());
  showCurrent();
  fill(
    document.getElementById("bottom"),
    h("p", {}, t("app.footer")),
    h("p", {}, h("a", { href: "/openapi.json" }, t("app.api"))),
  );
}

/** On a phone the sections are wider than the screen: the one that is shown is scrolled to. */
function showCurrent() {
  const current = document.querySelector("nav.sections [aria-current]");
  if (current) current.parentElement.scrollLeft = current.offsetLeft - current.parentElement.offsetLeft - 16;
}

function brand() {
  return h("a", { class: "brand", href: "#/" }, h("img", { src: "/assets/favicon.svg", alt: "", width: 28, height: 28 }),
    h("span", {}, t("app.name")));
}

function navigation() {
  const current = route().name;
  const link = (name, href, extra) =>
    h("a", { href, "aria-current": current === name && "page" }, t(`nav.${name}`), extra);
  const waiting = badge.count > 0 &&
    h("span", { class: "badge", title: plural("quarantine.open", badge.count) }, badge.more ? `${badge.count}+` : String(badge.count));
  return h("nav", { class: "sections", "aria-label": t("nav.label") },
    link("overview", "#/"), link("sessions", "#/sessions"), link("sources", "#/sources"), link("quarantine", "#/quarantine", waiting),
    link("settings", "#/settings"));
}

function search() {
  const input = h("input", {
    type: "search", name: "id", maxlength: 200, autocomplete: "off", spellcheck: "false", required: true,
    placeholder: t("search.placeholder"), "aria-label": t("search.label"),
    oninput: () => input.setCustomValidity(""),
  });
  return h("form", { class: "search", role: "search", onsubmit: (event) => find(event, input) }, input,
    h("button", { type: "submit", "aria-label": t("search.submit") }, icon("search")));
}

/** What is typed may be a phone number: it travels in a body, and only the stored id enters the address. */
async function find(event, input) {
  event.preventDefault();
  const typed = input.value.trim();
  if (!typed) return;
  if (/^BX-\d{1,18}$/i.test(typed)) {
    location.hash = `#/leads/${typed.toUpperCase()}`;
    return;
  }
  // A phone, an address or a number is a client; a word is a conversation first.
  const isClient = typed.includes("@") || !/\p{L}/u.test(typed);
  const places = [["sessions", { id: typed }, "sessions"], ["subjects", { typed }, "clients"]];
  if (isClient) places.reverse();
  try {
    for (const [resource, asked, section] of places) {
      const id = await lookUp(resource, asked);
      if (!id) continue;
      input.value = "";
      location.hash = `#/${section}/${encodeURIComponent(id)}`;
      return;
    }
    input.setCustomValidity(t("search.none"));
  } catch {
    input.setCustomValidity(t("error.network"));
  }
  input.reportValidity();
}

/** The stored id of what was typed; `null` when there is none. */
async function lookUp(resource, asked) {
  try {
    return (await post(`/v1/${resource}/lookup`, asked)).id;
  } catch (failure) {
    if (failure instanceof Failure && failure.status > 0) return null;
    throw failure;
  }
}

function controls() {
  const other = currentLanguage() === "ru" ? "en" : "ru";
  return h("div", { class: "controls" },
    h("button", { type: "button", class: "plain", title: t("nav.language"), "aria-label": t("nav.language"), onclick: () => {
      switchLanguage();
      redraw();
    } }, h("span", { lang: other }, other.toUpperCase())),
    reader && !reader.open &&
      h("form", { method: "post", action: "/logout" }, h("button", { class: "plain" }, t("nav.logout"))));
}

function tenantChoice() {
  const options = reader.tenants.map(({ id, name }) => h("option", { value: id, selected: id === chosenTenant() }, name));
  return h("select", { class: "tenant", "aria-label": t("nav.tenant"), onchange: (event) => {
    chooseTenant(event.target.value);
    location.hash = "#/";
    show();
    refreshBadge();
  } }, options);
}

function redraw() {
  if (reader) show();
  else showLogin(null);
}

function showLogin(failed) {
  frame();
  login({ main, failed });
}

async function refreshBadge() {
  if (!reader || document.hidden) return;
  try {
    const page = await get("/v1/quarantine", { state: "open", limit: 50 });
    badge = { count: page.entries.length, more: page.next_cursor !== null };
    document.querySelector("nav.sections")?.replaceWith(navigation());
    showCurrent();
  } catch {
    // The badge keeps what it said last; the view itself tells about trouble.
  }
}

async function start() {
  frame();
  const parameters = new URLSearchParams(location.search);
  const failed = parameters.get("login");
  // Neither the language nor a failed login is to stick to a link that is passed on.
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  try {
    reader = await get("/v1/whoami");
  } catch (failure) {
    if (failure.status === 401 || failure.status === 403) return showLogin(failed);
    fill(main, h("p", { class: "panel trouble" }, t("error.network")));
    setTimeout(start, 3_000);
    return;
  }
  if (reader.tenant === null && !reader.tenants.some(({ id }) => id === chosenTenant())) {
    if (reader.tenants.length > 0) chooseTenant(reader.tenants[0].id);
  }
  if (reader.tenant !== null) sessionStorage.clear();
  addEventListener("hashchange", show);
  show();
  refreshBadge();
  setInterval(refreshBadge, BADGE_EVERY);
}

start();
