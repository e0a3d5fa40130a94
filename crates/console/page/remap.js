// Mending how the bodies of a source are read: what would become of all that waits is shown before anything is saved.

import { get, post } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { number } from "./format.js";
import { plural, t } from "./i18n.js";
import { explained } from "./parts.js";
import { faults } from "./sources.js";
import { sendThrough } from "./workbench.js";

/** A button that opens the mapping of a source for mending. `changed` is called once entries have moved. */
export function mending(source, { signal, changed }) {
  const path = `/v1/sources/${encodeURIComponent(source)}/mapping`;
  const place = h("div", { class: "asking" });
  const rest = (say) => fill(place, h("button", { type: "button", class: "button", onclick: ask }, t("remap.mend")), say);
  const ask = async () => {
    try {
      const { mapping } = await get(path);
      if (!signal.aborted) edit({ place, path, mapping, rest, signal, changed });
    } catch (failure) {
      rest(warning(explained(failure)));
    }
  };
  rest();
  return place;
}

function edit(state) {
  const { place, mapping, rest, path } = state;
  const input = h("textarea", {
    class: "code", rows: 14, required: true, spellcheck: "false", autocapitalize: "off", oninput: () => {
      save.disabled = true;
      fill(shown);
    },
  });
  input.value = mapping === null ? "" : JSON.stringify(mapping, null, 2);
  const shown = h("div", { class: "preview", role: "status" });
  const check = h("button", { type: "button", class: "button", onclick: async () => {
    check.disabled = true;
    try {
      const preview = await post(`${path}/preview`, { mapping: input.value });
      save.disabled = false;
      save.textContent = t(preview.understood > 0 ? "remap.save.replay" : "remap.save");
      fill(shown, prediction(preview));
      state.waiting = preview.understood + preview.not_understood;
    } catch (failure) {
      fill(shown, warning(wrong(failure)));
    }
    check.disabled = false;
  } }, t("remap.check"));
  const save = h("button", { class: "button primary", disabled: true }, t("remap.save"));
  fill(place, h("form", { class: "mend", onsubmit: async (event) => {
    event.preventDefault();
    if (save.disabled) return;
    save.disabled = true;
    try {
      await post(path, { mapping: input.value });
      await through(state);
    } catch (failure) {
      save.disabled = false;
      fill(shown, warning(wrong(failure)));
    }
  } },
    h("label", { class: "field" }, h("span", {}, t("remap.mapping")), input, h("small", { class: "quiet" }, t("remap.hint"))),
    shown,
    h("div", { class: "buttons" }, check, save, h("button", { type: "button", class: "button", onclick: () => rest() }, t("cancel")))));
  input.focus();
}

/** It is saved: now whatever waits is read by it. Where that stops, it can be gone on with; nothing is lost by it. */
async function through(state) {
  const { place, path, waiting, signal, changed } = state;
  if (waiting === 0) {
    announce(t("remap.saved"));
    fill(place, h("p", { class: "quiet" }, t("remap.saved")));
    return;
  }
  try {
    const sent = await sendThrough(place, `${path}/replay`, waiting, signal);
    fill(place, h("p", { class: "quiet" }, t("remap.saved"), " ", plural("groups.sent", sent)));
  } catch (failure) {
    fill(place, warning(t("remap.stopped"), " ", explained(failure)),
      h("button", { type: "button", class: "button", onclick: () => through(state) }, t("remap.again")));
  }
  if (!signal.aborted) setTimeout(changed, 1_500);
}

/** What would become of all that waits, the most frequent fault first. */
function prediction({ understood, events, not_understood: not, faults: reasons }) {
  if (understood + not === 0) return h("p", { class: "quiet" }, t("remap.nothing"));
  return [
    h("p", {}, h("strong", {}, plural("remap.understood", understood)), understood > 0 && `, ${plural("remap.events", events)}.`),
    not > 0 && h("div", { class: "stack" }, h("p", {}, plural("remap.not", not)),
      h("ul", { class: "reasons" }, reasons.map(({ pointer, detail, times }) =>
        h("li", {}, `${number(times)} × `, pointer && [h("code", {}, pointer), " "], h("span", { lang: "en" }, detail))))),
  ];
}

function wrong(failure) {
  return failure.status === 400 ? faults(failure) : explained(failure);
}

function warning(...text) {
  return h("p", { class: "warning", role: "alert" }, text);
}
