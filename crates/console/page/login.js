// Asking for a key. The form is an ordinary one: the key goes into a cookie that scripts cannot read.

import { fill, h } from "./dom.js";
import { t } from "./i18n.js";

export function login({ main, failed }) {
  document.title = `${t("login.title")} · ${t("app.name")}`;
  const reason = failed === "unavailable" ? "login.unavailable" : "login.failed";
  const input = h("input", {
    id: "key", name: "key", type: "password", autocomplete: "current-password", required: true, spellcheck: "false",
    "aria-describedby": "key-hint", "aria-invalid": failed && "true",
  });
  fill(main, h("section", { class: "panel login" },
    h("h1", {}, t("login.title")),
    h("p", { class: "quiet", id: "key-hint" }, t("login.lead")),
    failed && h("p", { class: "warning", role: "alert" }, t(reason)),
    h("form", { method: "post", action: "/login" },
      h("label", { for: "key" }, t("login.key")), input,
      h("button", { class: "button primary" }, t("login.submit"))),
    h("p", { class: "quiet" }, `${t("login.hint")} `, h("code", { class: "whole" }, "letopis key add"))));
  input.focus();
}
