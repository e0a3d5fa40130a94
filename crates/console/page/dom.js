// Building elements. Text always goes in as text, never as markup.

/** `h("p", {class: "x", onclick: f}, "text", child, [more])`; null, undefined and false children are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...flat(children));
  return element;
}

/** Like `h`, for the few drawings there are. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...flat(children));
  return element;
}

/** Puts `children` in the place of whatever is in `parent`. */
export function fill(parent, ...children) {
  parent.replaceChildren(...flat(children));
}

/** Says something to a screen reader without moving anything. */
export function announce(text) {
  document.getElementById("live").textContent = text;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "style") for (const [key, item] of Object.entries(value)) element.style.setProperty(key, item);
  else element.setAttribute(name, value === true ? "" : value);
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
