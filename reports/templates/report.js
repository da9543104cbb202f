"use strict";
(() => {
  const PAGE = 60;
  const SVG = "http://www.w3.org/2000/svg";

  /* An element with attributes and children; text children are never parsed as HTML. */
  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  function draw(name, attributes = {}) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  /* ---- sortable tables ---- */

  function sortValue(cell) {
    const text = cell.dataset.value;
    if (text === "") return null;
    const number = text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text);
    return Number.isNaN(number) ? text : number;
  }

  /* What is not there comes last in both directions. */
  function compare(a, b, sign) {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    if (typeof a === "number" && typeof b === "number") return a === b ? 0 : sign * (a < b ? -1 : 1);
    return sign * String(a).localeCompare(String(b), undefined, { numeric: true });
  }

  function sortTable(table, header) {
    const button = header.querySelector("button");
    const other = { ascending: "descending", descending: "ascending" };
    const direction = header.hasAttribute("aria-sort") ? other[header.getAttribute("aria-sort")] : button.dataset.first;
    const column = [...header.parentNode.children].indexOf(header);
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [sortValue(row.cells[column]), row]);
    rows.sort((a, b) => compare(a[0], b[0], direction === "ascending" ? 1 : -1));
    body.append(...rows.map((row) => row[1]));
    for (const cell of header.parentNode.children) cell.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction);
  }

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    for (const header of table.tHead.rows[0].cells) {
      header.querySelector("button").addEventListener("click", () => sortTable(table, header));
    }
  }

  /* What is folded away belongs on paper too, but for the raw record. */
  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not(:has(pre))")) details.open = true;
  });

  for (const switcher of document.querySelectorAll("[data-switcher]")) {
    const select = switcher.querySelector("select");
    const panels = switcher.querySelectorAll(".panel");
    select.addEventListener("change", () => panels.forEach((panel, i) => { panel.hidden = String(i) !== select.value; }));
  }

  /* ---- single queries ---- */

  const metres = (value) => (value === null ? "∞" : value < 0.0995 ? `${(value * 100).toFixed(1)} cm` : `${value.toFixed(2)} m`);
  const percent = (value) => `${Math.round(value * 100)} %`;
  const said = (parts) => parts.filter(Boolean).join(" · ");
  const milliseconds = (value) => (value === null ? "unknown" : `${value < 1 ? value.toPrecision(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`);
  const worst = (value) => (value === null ? Infinity : value);
  const between = (a, b) => (a === b ? 0 : a < b ? -1 : 1);

  const ORDERS = {
    worst: (data) => (a, b) => between(worst(b.loss), worst(a.loss)) || seen(data, b) - seen(data, a),
    best: (data) => (a, b) => between(worst(a.loss), worst(b.loss)) || seen(data, b) - seen(data, a),
    unseen: (data) => (a, b) => seen(data, a) - seen(data, b),
    seen: (data) => (a, b) => seen(data, b) - seen(data, a),
    slow: () => (a, b) => (b.ms ?? 0) - (a.ms ?? 0),
  };
  const FILTERS = {
    all: () => true,
    failures: (answer) => answer.reason !== null,
    answers: (answer) => answer.reason === null,
    flagged: (answer) => answer.flags !== "",
  };
  const seen = (data, answer) => data.queries[answer.q].covisibility ?? 0;

  /* Whether one reference shows the place of a query. */
  const placed = (query) => query.own !== null && query.own !== undefined;

  function image(data, entry, description) {
    if (entry.image === null || entry.image === undefined) return make("div", { class: "missing" }, `${description}: not in this page`);
    return make("img", { src: data.images[entry.image], alt: description });
  }

  /* How an answer came out, in a few words: those of the list and of the table of all methods. */
  const outcome = (answer) => answer.reason ?? answer.outcome;

  function verdict(data, answer) {
    if (answer.reason !== null) return make("p", { class: "verdict" }, make("span", { class: "failed" }, "Failed"), `: ${answer.reason}`);
    const flags = answer.flags ? ` · ${answer.flags}` : "";
    return make("p", { class: "verdict" }, `${data.verdict}: `, make("span", { class: answer.grade || null }, answer.outcome), flags);
  }

  /* ---- the small floor plan: one unit is a metre, y points up ---- */

  const arrow = (x, y, yaw, size) => [[1.1, 0], [-0.7, 0.62], [-0.35, 0], [-0.7, -0.62]]
    .map(([u, v]) => [x + size * (u * Math.cos(yaw) - v * Math.sin(yaw)), -(y + size * (u * Math.sin(yaw) + v * Math.cos(yaw)))])
    .map((point) => point.map((value) => value.toFixed(3)).join(",")).join(" ");

  function planBox(rooms, query, points) {
    const room = rooms.find((candidate) => candidate.name === query.room);
    const corners = [...(room ? room.ring : []), ...points];
    const xs = corners.map((point) => point[0]), ys = corners.map((point) => point[1]);
    const margin = 0.6;
    const x0 = Math.min(...xs) - margin, y0 = Math.min(...ys) - margin;
    return { x0, y0, width: Math.max(...xs) + margin - x0, height: Math.max(...ys) + margin - y0 };
  }

  function floorPlan(data, query, answer, references) {
    const rooms = data.rooms[query.scene] || [];
    const here = references.filter((reference) => reference.pose !== null);
    /* An estimate a little outside the room stays in the picture; one far away would shrink the room to a dot. */
    const near = answer.pose !== null && Math.hypot(answer.pose[0] - query.pose[0], answer.pose[1] - query.pose[1]) < 6;
    const box = planBox(rooms, query, [query.pose, ...here.map((reference) => reference.pose), ...(near ? [answer.pose] : [])]);
    const svg = draw("svg", { viewBox: `${box.x0} ${-box.y0 - box.height} ${box.width} ${box.height}`, role: "img" });
    svg.setAttribute("aria-label", "Floor plan with the true pose, the estimated pose and the references");
    const size = Math.max(box.width, box.height) / 34;
    for (const room of rooms) svg.append(draw("polygon", { class: "room", points: room.ring.map(([x, y]) => `${x},${-y}`).join(" ") }));
    for (const reference of here) {
      const rank = answer.ranking.indexOf(data.references.indexOf(reference));
      const [x, y, , yaw] = reference.pose;
      svg.append(draw("polygon", { class: rank < 0 ? "reference" : "reference retrieved-mark", points: arrow(x, y, yaw, size) }));
    }
    const own = placed(query) ? data.references[query.own] : null;
    if (own) svg.append(draw("polygon", { class: "own", points: arrow(own.pose[0], own.pose[1], own.pose[3], size * 1.2) }));
    const [x, y, , yaw] = query.pose;
    if (answer.pose) {
      svg.append(draw("line", { class: "miss", x1: x, y1: -y, x2: answer.pose[0], y2: -answer.pose[1] }));
      svg.append(draw("polygon", { class: "estimate", points: arrow(answer.pose[0], answer.pose[1], answer.pose[3], size * 1.2) }));
    }
    svg.append(draw("polygon", { class: "truth", points: arrow(x, y, yaw, size * 1.2) }));
    return make("figure", { class: "plan" }, svg, planKey(answer, box, here.length, own !== null));
  }

  const inside = (box, [x, y]) => x >= box.x0 && x <= box.x0 + box.width && y >= box.y0 && y <= box.y0 + box.height;

  function planKey(answer, box, references, own) {
    const sign = (name) => {
      const svg = draw("svg", { viewBox: "-1.2 -1.2 2.4 2.4", "aria-hidden": "true" });
      svg.append(draw("polygon", { class: name, points: arrow(0, 0, 0, 1) }));
      return svg;
    };
    const entries = [make("span", {}, sign("truth"), "true pose")];
    if (answer.pose) entries.push(make("span", {}, sign("estimate"), inside(box, answer.pose) ? "estimate" : "estimate, outside this plan"));
    if (own) entries.push(make("span", {}, sign("own"), "image of its place"));
    if (references) entries.push(make("span", {}, sign("reference"), "reference"));
    if (references && answer.ranking.length) entries.push(make("span", {}, sign("reference retrieved-mark"), "retrieved"));
    return make("figcaption", { class: "key" }, ...entries);
  }

  /* ---- one browser: a list on the left, one query on the right ---- */

  function browser(section) {
    const data = JSON.parse(section.querySelector("script[type='application/json']").textContent);
    const controls = Object.fromEntries([...section.querySelectorAll("[data-control]")].map((control) => [control.dataset.control, control]));
    const [list, detail, count, more] = [".queries", ".detail", ".count", ".more"].map((name) => section.querySelector(name));
    let shown = [], open = null, pages = 1;

    data.methods.forEach((method, i) => controls.method.append(make("option", { value: i }, method)));
    data.steps.forEach((step, i) => controls.step.append(make("option", { value: i }, String(step))));
    section.querySelector("[data-only-several]").hidden = data.steps.length < 2;
    controls.method.value = data.start;

    const chosen = () => ({ m: Number(controls.method.value), s: Number(controls.step.value) });

    function refresh() {
      const { m, s } = chosen();
      const mine = data.answers.filter((answer) => answer.m === m && answer.s === s);
      shown = mine.filter(FILTERS[controls.filter.value]).sort(ORDERS[controls.order.value](data));
      const failures = mine.filter((answer) => answer.reason !== null).length;
      const here = shown.length === mine.length ? `${mine.length} queries` : `${shown.length} of ${mine.length} queries`;
      count.textContent = `${here}; ${data.methods[m]} failed on ${failures} of ${mine.length}`;
      renderList();
    }

    function renderList() {
      list.replaceChildren(...shown.slice(0, pages * PAGE).map(listEntry));
      more.hidden = shown.length <= pages * PAGE;
    }

    function listEntry(answer) {
      const query = data.queries[answer.q];
      const failed = answer.reason !== null;
      const kind = failed ? "failed" : answer.grade;
      const picture = query.image === null || query.image === undefined ? make("span", { class: "blank" }) : make("img", { src: data.images[query.image], alt: "" });
      const words = make("span", {}, make("b", { class: kind }, outcome(answer)), said([query.room, query.covisibility !== null && `${percent(query.covisibility)} covisible`]));
      const button = make("button", { type: "button", "data-query": query.id, "aria-current": open === query.id ? "true" : null }, picture, words);
      button.addEventListener("click", () => show(answer, true));
      return make("li", {}, button);
    }

    function show(answer, focus) {
      const query = data.queries[answer.q];
      open = query.id;
      for (const button of list.querySelectorAll("button")) {
        if (button.dataset.query === open) button.setAttribute("aria-current", "true");
        else button.removeAttribute("aria-current");
      }
      section.style.setProperty("--colour", data.colours[answer.m]);
      const step = data.steps[answer.s];
      const references = data.references.filter((reference) => reference.map === query.map && reference.step <= step);
      detail.replaceChildren(
        make("div", { class: "topline" }, make("h3", {}, query.id), steps(answer)),
        verdict(data, answer),
        make("div", { class: "pair" },
          make("figure", {}, image(data, query, `Query image ${query.id}`), make("figcaption", {}, facts(query, answer))),
          floorPlan(data, query, answer, references)),
        ...retrieved(query, answer),
        ...others(answer));
      if (focus && window.matchMedia("(max-width: 820px)").matches) detail.scrollIntoView({ block: "start" });
      if (focus) detail.focus({ preventScroll: true });
    }

    function facts(query, answer) {
      const by = placed(query) ? "the image of its place" : "its most covisible reference";
      const seenBy = query.covisibility !== null && `${percent(query.covisibility)} of it seen by ${by}`;
      const where = [query.scene, query.room].filter(Boolean).join(", ");
      return said([where, seenBy, milliseconds(answer.ms), answer.confidence !== null && `confidence ${answer.confidence}`]);
    }

    function steps(answer) {
      const place = shown.indexOf(answer);
      const step = (label, to) => {
        const button = make("button", { type: "button", disabled: place < 0 || !shown[to] }, label);
        button.addEventListener("click", () => show(shown[to], true));
        return button;
      };
      return make("div", { class: "steps" }, step("Previous", place - 1), step("Next", place + 1));
    }

    function retrieved(query, answer) {
      if (!answer.ranking.length) return unranked(query, answer);
      const entry = (place, rank) => {
        const reference = data.references[place];
        const distance = reference.pose ? `, ${away(query, reference)}` : "";
        const right = answer.relevant === rank;
        const best = right ? (placed(query) ? "; its place" : "; sees most of the query") : "";
        return make("figure", { class: right && placed(query) ? "right" : null }, image(data, reference, `Reference ${reference.id}`), make("figcaption", {}, `${rank ?? "not ranked"}${distance}${best}`));
      };
      const entries = answer.ranking.map((place, i) => entry(place, i + 1));
      /* Where its place comes later, its image is what the method should have found. */
      if (placed(query) && !answer.ranking.includes(query.own)) entries.push(entry(query.own, answer.relevant));
      return [make("h4", {}, "Retrieved references, best first"), make("div", { class: "retrieved" }, ...entries)];
    }

    /* An answer without a ranking, as most failures are: what the method had to go by. */
    function unranked(query, answer) {
      const step = data.steps[answer.s];
      const known = data.references.filter((reference) => reference.map === query.map && reference.step <= step && data.images[reference.image] !== undefined);
      const entries = known.slice(0, 10).map((reference) => make("figure", {}, image(data, reference, `Reference ${reference.id}`), make("figcaption", {}, away(query, reference))));
      const note = make("p", { class: "note" }, `${data.methods[answer.m]} gave no ranking here.` + (entries.length ? " These are references of the map, in no order." : ""));
      return [make("h4", {}, "References"), note, make("div", { class: "retrieved" }, ...entries)];
    }

    const away = (query, reference) => (reference.pose ? `${metres(Math.hypot(...[0, 1, 2].map((k) => reference.pose[k] - query.pose[k])))} away` : "");

    function others(answer) {
      const rows = data.answers.filter((other) => other.q === answer.q && other.s === answer.s).sort((a, b) => a.m - b.m).map((other) => {
        const button = make("button", { type: "button" }, data.methods[other.m]);
        button.addEventListener("click", () => { controls.method.value = other.m; refresh(); show(other, true); });
        const result = [outcome(other), other.flags].filter(Boolean).join(", ");
        return make("tr", { "aria-current": other.m === answer.m ? "true" : null },
          make("th", { scope: "row" }, button), make("td", { class: other.reason === null && other.grade ? other.grade : null }, other.reason !== null ? "failed: " + result : result), make("td", { class: "number" }, milliseconds(other.ms)));
      });
      const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Method"), make("th", { scope: "col" }, "Result"), make("th", { scope: "col", class: "number" }, "Latency")));
      return [make("h4", {}, "All methods on this query"), make("div", { class: "others scroll" }, make("table", {}, head, make("tbody", {}, ...rows)))];
    }

    for (const control of Object.values(controls)) control.addEventListener("change", () => { pages = 1; refresh(); reopen(); });
    more.addEventListener("click", () => { pages += 1; renderList(); });
    section.querySelector("form").addEventListener("submit", (event) => event.preventDefault());

    /* After a change of method, the query that is open stays open, with the new method's answer. */
    function reopen() {
      const { m, s } = chosen();
      const answer = data.answers.find((candidate) => candidate.m === m && candidate.s === s && data.queries[candidate.q].id === open);
      if (answer) show(answer, false);
    }
    refresh();
  }

  document.querySelectorAll("[data-browser]").forEach(browser);
})();
