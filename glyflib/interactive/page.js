// What the scripts of all figures share: elements, the page's theme, and their place.

function bytes(text) {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

function make(tag, options = {}, ...children) {
  const { text, ...attributes } = options;
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

function isDark() {
  const theme = document.documentElement.dataset.theme || document.body.dataset.theme;
  if (theme === "dark" || theme === "light") return theme === "dark";
  const lab = document.body.dataset.jpThemeLight;
  return lab ? lab === "false" : matchMedia("(prefers-color-scheme: dark)").matches;
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Call f whenever the built page or JupyterLab turns dark or light.
function onTheme(f) {
  const themes = new MutationObserver(f);
  for (const place of [document.documentElement, document.body]) themes.observe(place, { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", f);
}

// JupyterLab may run a script before its element is on the page, or show it twice.
function whenThere(selector, begin) {
  const start = () => {
    const hosts = [...document.querySelectorAll(selector)].filter((host) => !host.shadowRoot);
    hosts.forEach(begin);
    return hosts.length > 0;
  };
  if (start()) return;
  let tries = 0;
  const timer = setInterval(() => { if (start() || ++tries > 200) clearInterval(timer); }, 50);
}
