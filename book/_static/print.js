/* The dark theme is for screens: paper gets the light one, then the screen its own. */
(() => {
  const root = document.documentElement;
  let before = null;
  addEventListener("beforeprint", () => {
    before ??= root.dataset.theme ?? "";
    root.dataset.theme = "light";
  });
  addEventListener("afterprint", () => {
    if (before) root.dataset.theme = before;
    before = null;
  });
})();
