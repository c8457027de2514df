// Elements. Text goes in as text and never as markup: names are what tenants typed.

/** Makes an element with attributes. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

/** Changes a text where it is another one: a browser lays out anew what is written, even the same. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Writes what is known, or for `null` that it is not. */
function tell(node, text) {
  write(node, text ?? "–");
  if ((text === null) === node.hasAttribute("role")) return;
  if (text === null) {
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", "not known");
  } else {
    node.removeAttribute("role");
    node.removeAttribute("aria-label");
  }
}

/** Writes somebody else's text, which may be long or turn the direction of what follows. */
function quote(node, text) {
  tell(node, text);
  if (text === null) node.removeAttribute("title");
  else if (node.title !== text) node.title = text;
}

/** Sets how much of a bar is full, 0 to 1. */
function fill(node, part) {
  const shown = String(Math.min(Math.max(part ?? 0, 0), 1));
  if (node.style.getPropertyValue("--part") !== shown) node.style.setProperty("--part", shown);
}

/** Gives a parent a child for each item, keeping the children of items that it had before. */
function renew(parent, items, keyOf, make, draw) {
  const known = new Map(Array.from(parent.children, (child) => [child.dataset.key, child]));
  const children = items.map((item) => {
    const key = keyOf(item);
    const child = known.get(key) ?? make(item);
    child.dataset.key = key;
    draw(child, item);
    return child;
  });
  place(parent, children);
}

/** Gives a parent these children in this order, and moves no more of them than it must. */
function place(parent, children) {
  const staying = new Set(children);
  for (const child of Array.from(parent.children)) {
    if (!staying.has(child)) child.remove();
  }
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) {
      next = next.nextElementSibling;
    } else if (next !== null && child === next.nextElementSibling) {
      // It is `next` that goes elsewhere, when its turn comes.
      next = child.nextElementSibling;
    } else {
      parent.insertBefore(child, next);
    }
  }
}
