// What the tests ask of a page, as a person would: by the words that stand on it.

const squeeze = (text) => (text ?? "").replace(/\s+/g, " ").trim();

const shown = (element) =>
  element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });

const words = (element) =>
  squeeze(element.innerText || element.value || element.getAttribute("aria-label"));

// The first of those whose words are `text`, else begin with it, else hold it.
const named = (elements, text) => {
  const all = [...elements].filter((it) => shown(it) && !it.closest("[aria-hidden=true]"));
  const by = (matches) => all.find((element) => matches(words(element)) || matches(squeeze(element.getAttribute("aria-label"))));
  return by((it) => it === text) ?? by((it) => it.startsWith(text)) ?? by((it) => it.includes(text)) ?? null;
};

const CLICKABLE =
  "a[href], button, summary, label, input[type=submit], input[type=button], [role=button], [role=tab]";

// A label may lie under the control that it names, which then takes the click.
const onTop = (element) => {
  if (!element?.control) return element;
  element.scrollIntoView({ block: "center" });
  const box = element.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return top === element.control ? top : element;
};

const clickable = (text, within) => {
  const root = within ? document.querySelector(within) : document;
  return root ? onTop(named(root.querySelectorAll(CLICKABLE), text)) : null;
};

// The control that a label names, in the group that a legend names if there is one.
const control = (text, group) => {
  let root = document;
  if (group) {
    const legend = named(document.querySelectorAll("legend, [role=group] > h2, [role=group] > h3"), group);
    root = legend?.closest("fieldset, [role=group]");
    if (!root) return null;
  }
  const label = named(root.querySelectorAll("label"), text);
  if (label?.control) return label.control;
  const all = [...root.querySelectorAll("input, select, textarea")];
  return all.find((it) => squeeze(it.getAttribute("aria-label")) === text) ?? null;
};

// Says how a control is to be filled; does it where keys would not.
const prepare = (element, value) => {
  const changed = () => {
    element.dispatchEvent(new Event("input", { bubbles: true }));
    element.dispatchEvent(new Event("change", { bubbles: true }));
  };
  if (element.tagName === "SELECT") {
    const options = [...element.options];
    const option = options.find((it) => squeeze(it.text) === value) ?? options.find((it) => squeeze(it.text).startsWith(value));
    if (!option) return "no option: " + options.map((it) => squeeze(it.text)).join(" | ");
    element.value = option.value;
    changed();
    return "done";
  }
  if (["date", "time", "datetime-local", "month", "week", "color", "range"].includes(element.type)) {
    element.value = value;
    changed();
    return "done";
  }
  if (["checkbox", "radio"].includes(element.type)) return "click";
  return "keys";
};

const wide = () => {
  const limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= limit) return null;
  const beyond = [...document.querySelectorAll("body *")].filter((it) => it.getBoundingClientRect().right > limit + 1);
  const name = (it) => it.tagName.toLowerCase() + (it.id ? "#" + it.id : "") + [...it.classList].map((c) => "." + c).join("");
  return document.documentElement.scrollWidth + " px of " + limit + ": " + beyond.slice(0, 4).map(name).join(", ");
};

const weight = () => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const image = (it) => it.initiatorType === "img" || it.initiatorType === "image" || /\.(svg|png|jpe?g|webp|ico)$/.test(it.name);
  return all.filter((it) => !image(it)).reduce((sum, it) => sum + it.decodedBodySize, 0);
};

const focusVisible = () => {
  const style = getComputedStyle(document.activeElement);
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return document.activeElement !== document.body && (outlined || style.boxShadow !== "none");
};
