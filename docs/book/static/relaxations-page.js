// The page on which relaxations can be dragged: a plane with codes and a goal, logits, temperature.
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("relaxations");
  if (!place) return;
  const NAMES = {
    argmax: "argmax",
    straight_through: "straight-through",
    gumbel: "Gumbel",
    softmax: "softmax (SRQ)",
  };
  const COLUMNS = ["relaxation", "weight of each code", "vector", "squared distance to the goal",
    "gradient at each logit"];
  const STEPS = {
    ArrowLeft: [-0.05, 0],
    ArrowRight: [0.05, 0],
    ArrowUp: [0, 0.05],
    ArrowDown: [0, -0.05],
  };
  const SVG = ["svg", "g", "circle", "rect", "line", "path", "text", "title"];
  const SIZE = 400, REACH = 1.6; // pixels of the plane, and the largest coordinate in it
  const LOUDEST = 5; // the largest logit
  const state = {
    codes: [[1.0, 0.2], [-0.3, 1.0], [-1.0, -0.5], [0.6, -0.9]],
    logits: [1.2, 0.8, -0.5, 0.1],
    goal: [-0.4, 0.9],
    source: [0.9, -0.2],
    temperature: 2,
    alpha: 1,
    noise: [-0.3, 0.9, 0.2, -0.4],
  };

  function element(name, attributes, parent, text) {
    const space = SVG.includes(name) ? "2000/svg" : "1999/xhtml";
    const made = document.createElementNS(`http://www.w3.org/${space}`, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  const toPixel = ([x, y]) => [SIZE / 2 * (1 + x / REACH), SIZE / 2 * (1 - y / REACH)];
  const inReach = (value) => Math.max(-REACH, Math.min(REACH, value));
  const shown = (value) => (Math.abs(value) < 0.0005 ? "0" : value.toPrecision(3));
  const brief = (value) => (Math.abs(value) < 0.005 ? "0" : value.toFixed(2));

  // The plane. What can be dragged can be moved with the arrow keys as well.
  const plane = element("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "plane", role: "group",
    "aria-label": "A plane with four codes, a goal and what each relaxation gives" }, place);
  const hull = element("path", { class: "hull" }, plane);
  const way = element("line", { class: "way" }, plane);
  const sent = element("path", { d: "M0 -9 L9 0 L0 9 L-9 0 Z", class: "sent" }, plane);
  const outs = {};
  for (const method of relaxations.METHODS) {
    outs[method] = element("g", { class: `out ${method}` }, plane);
  }
  element("circle", { r: 12, class: "ring" }, outs.argmax);
  element("circle", { r: 16, class: "ring" }, outs.straight_through);
  element("rect", { x: -11, y: -11, width: 22, height: 22, class: "ring" }, outs.gumbel);
  element("circle", { r: 8, class: "dot" }, outs.softmax);

  function handle(point, label, kind) {
    const group = element("g", { class: `handle ${kind}`, tabindex: 0, role: "button" }, plane);
    element("circle", { r: 20, class: "touch" }, group);
    if (kind === "code") element("circle", { r: 6 }, group);
    else if (kind === "goal") element("path", { d: "M-7 -7 L7 7 M-7 7 L7 -7" }, group);
    else element("path", { d: "M0 -7 L7 6 L-7 6 Z" }, group);
    element("text", { x: 14, y: kind === "code" ? -10 : 22 }, group, label);
    const move = (x, y) => {
      point[0] = inReach(x);
      point[1] = inReach(y);
      draw();
    };
    group.addEventListener("pointerdown", (event) => {
      group.setPointerCapture(event.pointerId);
      event.preventDefault();
      group.focus();
    });
    group.addEventListener("pointermove", (event) => {
      if (!group.hasPointerCapture(event.pointerId)) return;
      const box = plane.getBoundingClientRect();
      move(REACH * (2 * (event.clientX - box.left) / box.width - 1),
        REACH * (1 - 2 * (event.clientY - box.top) / box.height));
    });
    group.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      move(point[0] + step[0], point[1] + step[1]);
    });
    return () => {
      const [x, y] = toPixel(point);
      group.setAttribute("transform", `translate(${x} ${y})`);
      const where = point.map(shown).join(", ");
      group.setAttribute("aria-label", `${label} at ${where}; arrow keys move it`);
    };
  }
  const moves = state.codes.map((code, v) => handle(code, `code ${v + 1}`, "code"));
  moves.push(handle(state.goal, "goal", "goal"), handle(state.source, "source", "source"));

  // Logits as bars to drag, and sliders.
  const controls = element("div", { class: "controls" }, place);
  const chart = element("svg", { viewBox: "0 0 240 150", class: "logits", role: "group",
    "aria-label": "The logits" }, controls);
  const height = (logit) => 66 - 50 * logit / LOUDEST;
  element("line", { x1: 0, x2: 240, y1: height(0), y2: height(0) }, chart);
  state.logits.forEach((_, v) => {
    const bar = element("g", { class: "bar", role: "slider", tabindex: 0, "aria-valuemin": -LOUDEST,
      "aria-valuemax": LOUDEST, "aria-label": `logit of code ${v + 1}` }, chart);
    element("rect", { x: 60 * v, width: 60, y: 0, height: 150, class: "touch" }, bar);
    const column = element("rect", { x: 60 * v + 15, width: 30 }, bar);
    const knob = element("rect", { x: 60 * v + 9, width: 42, height: 4, rx: 2, class: "knob" }, bar);
    const value = element("text", { x: 60 * v + 30, y: 146 }, bar);
    const set = (logit) => {
      state.logits[v] = Math.round(10 * Math.max(-LOUDEST, Math.min(LOUDEST, logit))) / 10;
      draw();
    };
    const follow = (event) => {
      const box = chart.getBoundingClientRect();
      set((66 - (event.clientY - box.top) / box.height * 150) / 50 * LOUDEST);
    };
    bar.addEventListener("pointerdown", (event) => {
      bar.setPointerCapture(event.pointerId);
      event.preventDefault();
      bar.focus();
      follow(event);
    });
    bar.addEventListener("pointermove", (event) => {
      if (bar.hasPointerCapture(event.pointerId)) follow(event);
    });
    bar.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      set(state.logits[v] + 2 * (step[0] + step[1]));
    });
    moves.push(() => {
      const logit = state.logits[v], y = height(logit);
      column.setAttribute("y", Math.min(y, height(0)));
      column.setAttribute("height", Math.abs(y - height(0)));
      knob.setAttribute("y", y - 2);
      value.textContent = `code ${v + 1}: ${logit.toFixed(1)}`;
      bar.setAttribute("aria-valuenow", logit);
    });
  });
  function slider(label, low, high, step, value, change) {
    const line = element("label", { class: "line" }, controls);
    element("span", {}, line, label);
    const input = element("input", { type: "range", min: low, max: high, step, value }, line);
    const told = element("output", {}, line);
    const follow = () => {
      told.textContent = shown(change(Number(input.value)));
      draw();
    };
    input.addEventListener("input", follow);
    told.textContent = shown(change(value));
  }
  const power = Math.log10(state.temperature);
  slider("temperature", -2, 2, 0.05, power, (value) => (state.temperature = 10 ** value));
  slider("alpha", 0, 1, 0.05, state.alpha, (value) => (state.alpha = value));
  const again = element("button", { type: "button" }, controls, "draw other Gumbel noise");
  again.addEventListener("click", () => {
    state.noise = state.noise.map(() => relaxations.gumbel(Math.random()));
    draw();
  });

  // What each relaxation does with them.
  const table = element("table", {}, element("div", { class: "table-scroll", tabindex: 0 }, place));
  element("caption", {}, table, "What goes forward, and what comes back to the logits");
  const head = element("tr", {}, element("thead", {}, table));
  for (const title of COLUMNS) element("th", { scope: "col" }, head, title);
  const body = element("tbody", {}, table), cells = {};
  for (const method of relaxations.METHODS) {
    const row = element("tr", {}, body);
    element("th", { scope: "row", class: `name ${method}` }, row, NAMES[method]);
    cells[method] = ["weights", "out", "loss", "gradient"].map(() => element("td", {}, row));
  }

  function bars(cell, values, largest) {
    const picture = element("svg", { viewBox: "0 0 80 40", class: "bars", "aria-hidden": "true" });
    const signed = values.some((value) => value < 0);
    const zero = signed ? 20 : 38, room = signed ? 18 : 36;
    element("line", { x1: 0, x2: 80, y1: zero, y2: zero }, picture);
    values.forEach((value, v) => {
      const height = Math.min(1, Math.abs(value) / largest) * room;
      const y = value < 0 ? zero : zero - height;
      element("rect", { x: 4 + 20 * v, width: 12, y, height }, picture);
    });
    cell.replaceChildren(picture, element("span", {}, null, values.map(brief).join("  ")));
  }

  function draw() {
    if (!Object.keys(cells).length) return;
    for (const move of moves) move();
    const hot = state.codes.slice().sort((a, b) => Math.atan2(a[1], a[0]) - Math.atan2(b[1], b[0]));
    hull.setAttribute("d", `M${hot.map((code) => toPixel(code).join(" ")).join(" L")} Z`);
    const { logits, codes, temperature, noise, goal, source, alpha } = state;
    const told = relaxations.METHODS.map((method) =>
      relaxations.relax(method, logits, codes, temperature, noise, goal, source, alpha));
    const mixture = told[relaxations.METHODS.indexOf("softmax")];
    const [from, to] = [toPixel(source), toPixel(mixture.out)];
    [way.x1, way.y1, way.x2, way.y2].forEach((end, i) => (end.baseVal.value = [...from, ...to][i]));
    sent.setAttribute("transform", `translate(${toPixel(mixture.sent).join(" ")})`);
    const largest = Math.max(1e-9, ...told.flatMap((one) => one.gradient.map(Math.abs)));
    relaxations.METHODS.forEach((method, i) => {
      const one = told[i], [x, y] = toPixel(one.out);
      const [weights, out, loss, gradient] = cells[method];
      outs[method].setAttribute("transform", `translate(${x} ${y})`);
      bars(weights, one.weights, 1);
      out.textContent = `(${one.out.map(shown).join(", ")})`;
      loss.textContent = shown(one.loss);
      bars(gradient, one.gradient, largest);
    });
  }
  draw();
});
