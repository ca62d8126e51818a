// Cards: what a term means, or which work is cited, on hover and on focus. Esc closes.
// Texts come from the page: entries of the glossary as JSON (_sphinx/cards.py), works
// from the title of the link or the list of references. Nothing is fetched.
(() => {
  const WAIT = 150; // milliseconds: who only passes by opens nothing
  const begin = () => {
    const data = document.getElementById("glyf-cards");
    const terms = data ? JSON.parse(data.textContent) : {};
    const works = new Map();
    for (const item of document.querySelectorAll("section#references li")) {
      const link = item.querySelector("a[href^='http']");
      if (link) works.set(link.href, item.innerHTML);
    }
    const textOf = (link) => {
      const place = decodeURIComponent(link.hash.slice(1));
      if (Object.hasOwn(terms, place)) return terms[place];
      if (link.closest("section#references li")) return "";
      return works.get(link.href) ?? "";
    };
    const card = document.createElement("div");
    Object.assign(card, { id: "glyf-card", className: "glyf-card", hidden: true });
    card.setAttribute("role", "tooltip");
    document.body.append(card);
    let shown = null, timer = 0;
    const hide = () => {
      clearTimeout(timer);
      shown?.removeAttribute("aria-describedby");
      shown = null;
      card.hidden = true;
    };
    const show = (link, text) => {
      if (shown === link) return;
      hide();
      shown = link;
      card.innerHTML = text;
      card.hidden = false;
      link.setAttribute("aria-describedby", card.id);
      const math = card.querySelector(".math");
      if (math) window.MathJax?.typesetPromise?.([card]).then(() => place(link));
      place(link);
    };
    // Below the link, or above it where the window ends; never beyond its sides.
    const place = (link) => {
      const at = link.getClientRects()[0] ?? link.getBoundingClientRect();
      const { width, height } = card.getBoundingClientRect();
      const most = document.documentElement.clientWidth - width - 8;
      const isLow = at.bottom + height + 8 > innerHeight && at.top > height + 8;
      card.style.left = `${scrollX + Math.max(8, Math.min(at.left, most))}px`;
      card.style.top = `${scrollY + (isLow ? at.top - height - 4 : at.bottom + 4)}px`;
    };
    const later = (task) => { clearTimeout(timer); timer = setTimeout(task, WAIT); };
    for (const link of document.querySelectorAll("article a[href]")) {
      if (link.title && /(^|\/)bibliography\.html#/.test(link.getAttribute("href"))) {
        const entry = document.createElement("span");
        entry.textContent = link.title;
        works.set(link.href, entry.innerHTML);
        link.removeAttribute("title"); // else the browser's own would show as well
      }
    }
    for (const link of document.querySelectorAll("article a[href]")) {
      const text = textOf(link);
      if (!text) continue;
      const isMouse = (event) => event.pointerType === "mouse";
      link.addEventListener("pointerenter", (e) => isMouse(e) && later(() => show(link, text)));
      link.addEventListener("pointerleave", () => later(hide));
      link.addEventListener("focus", () => link.matches(":focus-visible") && show(link, text));
      link.addEventListener("blur", hide);
    }
    card.addEventListener("pointerenter", () => clearTimeout(timer));
    card.addEventListener("pointerleave", () => later(hide));
    document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
