// One slide at a time, by keys, buttons and swipes. Without it, all slides stand below
// each other. It only shows, hides and counts.
(() => {
  const slides = [...document.querySelectorAll(".slide")];
  const root = document.documentElement;
  const [body, nav] = [document.body, document.querySelector("nav")];
  const at = (name) => document.getElementById(name);
  // Keys and swipes that a slider, a map, a text field or a button takes for itself.
  const OWN = "input, select, textarea, button, summary, a, canvas, [role=slider],"
    + " .glyf-map, .glyf-plane, .glyf-words";
  const SIDEWAYS = "pre, .output, div.math";
  let now = 0;

  const show = (wanted, moveFocus = true) => {
    now = Math.min(Math.max(wanted, 0), slides.length - 1);
    slides.forEach((slide, i) => {
      slide.classList.toggle("now", i === now);
      slide.inert = i !== now;
    });
    at("place").textContent = `${now + 1} / ${slides.length}`;
    at("back").disabled = now === 0;
    at("on").disabled = now === slides.length - 1;
    slides[now].scrollTop = 0;
    if (moveFocus) slides[now].focus({ preventScroll: true });
    try {
      history.replaceState(null, "", `#${now + 1}`);
    } catch {
      // a page without an address of its own has no place to keep
    }
  };

  const withNotes = (seen) => {
    body.classList.toggle("with-notes", seen);
    at("notes").setAttribute("aria-pressed", seen);
    document.querySelectorAll(".notes").forEach((fold) => { fold.open = seen; });
  };

  const isDark = () => root.dataset.theme === "dark"
    || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

  const WAYS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest?.(OWN) && !event.target.closest("nav")) return;
    const isPressed = event.target.closest?.("nav button");
    if (event.key in WAYS) show(now + WAYS[event.key]);
    else if (event.key === " " && !isPressed) show(now + (event.shiftKey ? -1 : 1));
    else if (event.key === "Home") show(0);
    else if (event.key === "End") show(slides.length - 1);
    else if (event.key === "n") withNotes(!body.classList.contains("with-notes"));
    else return;
    event.preventDefault();
  });

  at("back").addEventListener("click", () => show(now - 1));
  at("on").addEventListener("click", () => show(now + 1));
  at("notes").addEventListener("click", () =>
    withNotes(!body.classList.contains("with-notes")));
  at("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
  });

  let start = null;
  const scrolls = (element) => {
    const wide = element.closest(SIDEWAYS);
    return wide && wide.scrollWidth > wide.clientWidth;
  };
  document.addEventListener("touchstart", (event) => {
    const is_own = event.target.closest(OWN) || scrolls(event.target);
    start = is_own || event.touches.length > 1 ? null : event.touches[0];
  }, { passive: true });
  document.addEventListener("touchend", (event) => {
    if (!start) return;
    const end = event.changedTouches[0];
    const [x, y] = [end.clientX - start.clientX, end.clientY - start.clientY];
    start = null;
    if (Math.abs(x) > 50 && Math.abs(x) > 2 * Math.abs(y)) show(now - Math.sign(x));
  }, { passive: true });
  window.addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1));
  // Escape leaves a slider or a map, whatever else it does there: arrows turn slides.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") slides[now].focus({ preventScroll: true });
  }, { capture: true });

  nav.hidden = false;
  body.classList.add("ready");
  show((Number(location.hash.slice(1)) || 1) - 1);
})();
