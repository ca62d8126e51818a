// Makes a page of the built book ready for paper, and tells what stands on it.
// `isWhole`: hints and solutions go to the end of the chapter, other folds are opened.
async ({ width, isWhole }) => {
  const all = (css, root = document) => [...root.querySelectorAll(css)];
  const article = document.querySelector("article");
  const make = (name, text, attributes = {}) => {
    const element = Object.assign(document.createElement(name), attributes);
    element.textContent = text;
    return element;
  };
  document.documentElement.dataset.theme = "light";

  // Everything that loads late is there.
  const pictures = all("img", article);
  pictures.forEach((picture) => { picture.loading = "eager"; });
  await Promise.all(pictures.map((picture) => picture.decode().catch(() => {})));
  await window.MathJax?.startup?.promise;
  const raw = all(".math", article).filter((e) => !e.querySelector("mjx-container"));
  const lost = pictures.filter((picture) => !picture.naturalWidth);

  // The first folded cell of a chapter loads its tools: it says where names come from.
  if (isWhole) {
    for (const fold of all("details:not(.above-input)", article)) {
      if (!fold.closest("section.exercise")) fold.open = true;
    }
    const setup = article.querySelector("details.above-input");
    if (setup && !setup.closest(".cell").querySelector(":scope > .cell_output")) {
      setup.open = true;
    }
    gatherSolutions();
  }

  function gatherSolutions() {
    const exercises = all("section.exercise", article)
      .filter((one) => one.querySelector("details.solution, details:not([class])"));
    if (exercises.length === 0) return;
    const end = make("section", "", { id: "paper-solutions", className: "paper-solutions" });
    end.append(make("h2", "Hints and solutions"));
    for (const exercise of exercises) {
      const title = exercise.querySelector("h2, h3, h4").cloneNode(true);
      all(".section-number, .headerlink", title).forEach((part) => part.remove());
      const place = make("section", "", { id: `paper-solution-${exercise.id}` });
      place.append(make("h3", title.textContent));
      let told = [];
      for (const fold of all("details:not([class])", exercise)) {
        if (fold.closest("details.solution")) { fold.open = true; continue; }
        const words = make("p", "");
        const head = fold.querySelector("summary");
        words.append(make("strong", `${head.textContent}. `));
        head.remove();
        words.append(...fold.childNodes);
        fold.remove();
        place.append(words);
        told.push(head.textContent.toLowerCase());
      }
      for (const fold of all("details.solution", exercise)) {
        fold.querySelector("summary").remove();
        place.append(...fold.childNodes);
        fold.closest(".solution-fold").remove();
        told.push("solution");
      }
      end.append(place);
      const line = make("p", "", { className: "paper-pointer" });
      const words = `${told.join(" and ")}: at the end of the chapter`;
      const href = `#${place.id}`;
      line.append(make("a", words[0].toUpperCase() + words.slice(1), { href }));
      exercise.append(line);
      // On paper nobody presses a key: that there is no answer yet need not be said.
      for (const output of all(".cell_output", exercise)) {
        if (/^\s*Not yet\./.test(output.textContent)) output.remove();
      }
    }
    (article.querySelector(":scope > section") ?? article).append(end);
  }

  // A formula or table that is wider than the paper is made smaller.
  const smaller = [];
  for (const wide of all('mjx-container[display="true"], table', article)) {
    const room = wide.parentElement.getBoundingClientRect().width;
    const inside = wide.matches("table") ? wide : wide.querySelector("mjx-math, svg") ?? wide;
    const asked = inside.getBoundingClientRect().width;
    if (room > 0 && asked > Math.min(room, width) + 1) {
      wide.style.zoom = Math.min(room, width) / asked;
      smaller.push(asked / room);
    }
  }

  // A place becomes one in the PDF if a link of its page leads to it: here they are.
  const targets = make("div", "", { hidden: true });
  for (const place of all("[id]", article)) {
    if (!place.closest("svg, mjx-container")) {
      targets.append(make("a", "", { href: `#${encodeURIComponent(place.id)}` }));
    }
  }
  document.body.append(targets);
  await document.fonts.ready;

  const headings = all("h1, h2", article).map((heading) => {
    const copy = heading.cloneNode(true);
    all(".headerlink, mjx-container > :not(mjx-assistive-mml)", copy)
      .forEach((part) => part.remove());
    return {
      level: +heading.tagName[1],
      place: heading.closest("[id]")?.id ?? "",
      title: copy.textContent.replace(/\s+/g, " ").trim(),
    };
  });
  return { headings, raw: raw.length, lost: lost.length, smaller: smaller.length };
}
