// The business itself: what it is called, and what its texts may not leave with.

import { get, post } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { explained, fail, heading, loading } from "./parts.js";

const TRADES = ["ordinary", "clinic"];

export async function settings({ main, reader, signal }) {
  const place = h("div", { class: "stack" }, loading());
  fill(main, heading(t("settings.title")), place);
  try {
    const tenant = await get("/v1/tenant");
    if (!signal.aborted) fill(place, business(tenant, reader, signal));
  } catch (failure) {
    if (!signal.aborted) fail(place, failure, () => settings({ main, reader, signal }));
  }
}

function business({ id, name, trade }, reader, signal) {
  const fact = (key, value) => h("div", {}, h("dt", {}, t(`settings.${key}`)), h("dd", {}, value));
  return h("section", { class: "panel" },
    h("h2", {}, name),
    h("dl", { class: "facts" }, fact("id", h("code", {}, id)), reader.scope !== "admin" && fact("trade", t(`trade.${trade}`))),
    reader.scope === "admin" ? trades(trade, signal)
      : [h("p", { class: "quiet" }, t(`trade_what.${trade}`)), h("p", { class: "quiet" }, t("settings.admin"))]);
}

/** What it does: chosen, and saved by a button, for it changes what others get to see. */
function trades(current, signal) {
  const save = h("button", { class: "button primary", disabled: true }, t("settings.save"));
  const say = h("p", { class: "quiet", role: "status" });
  let kept = current;
  const chosen = () => new FormData(form).get("trade");
  const form = h("form", { class: "form", onsubmit: async (event) => {
    event.preventDefault();
    save.disabled = true;
    say.className = "quiet";
    say.textContent = "";
    try {
      ({ trade: kept } = await post("/v1/tenant/trade", { trade: chosen() }));
      if (signal.aborted) return;
      say.textContent = t("settings.saved", { what: t(`trade_saved.${kept}`) });
      announce(say.textContent);
    } catch (failure) {
      save.disabled = false;
      say.className = "warning";
      say.textContent = explained(failure);
    }
  } },
    h("fieldset", { class: "kinds" }, h("legend", {}, t("settings.leaves")), TRADES.map((trade) =>
      h("label", { class: "kind" },
        h("input", { type: "radio", name: "trade", value: trade, checked: trade === current, onchange: () => {
          save.disabled = chosen() === kept;
          say.textContent = "";
        } }),
        h("span", {}, h("strong", {}, t(`trade.${trade}`)), h("small", {}, t(`trade_what.${trade}`)))))),
    h("div", { class: "buttons" }, save), say);
  return form;
}
