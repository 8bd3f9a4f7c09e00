// The page on which the reader draws or chooses a picture, and CycleVAR translates it.
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("translator");
  const { about } = translator.parts;
  if (!place || !about) return;
  const folder = place.dataset.parts, { side, domains, scenes, paints } = about;
  const state = {
    paint: Object.values(paints)[0],
    brush: 2.5, // radius in pixels of the picture
    target: null, // a class
    temperature: about.temperature,
    alpha: about.alpha,
    times: [],
    busy: false,
    last: null, // what was translated last, and what came out: for tests
  };

  function element(name, attributes, parent, text) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }
  const inside = (attributes, text) => element("div", attributes, place, text);
  const css = (colour) => `rgb(${colour.join(" ")})`;

  // Scenes to begin with.
  const chooser = inside({ class: "scenes", role: "group", "aria-label": "Scenes to begin with" });
  for (const scene of scenes) {
    const button = element("button", { type: "button" }, chooser);
    element("img", { src: scene.picture, alt: scene.text, width: side, height: side }, button);
    button.addEventListener("click", () => choose(scene));
  }

  // Source, translation and, for a scene, what the world itself would show.
  const pictures = inside({ class: "pictures" });
  function picture(kind, name, title) {
    const figure = element("figure", { class: kind }, pictures);
    const size = name === "canvas" ? { role: "img" } : { alt: title };
    const made = element(name, { width: side, height: side, "aria-label": title, ...size }, figure);
    element("figcaption", {}, figure, title);
    return made;
  }
  const source = picture("source", "canvas", "Source: draw on it");
  const shown = picture("translation", "canvas", "Translation");
  const twin = picture("twin", "img", "Hidden counterpart");
  const brush = source.getContext("2d", { willReadFrequently: true });

  // What can be set.
  const controls = inside({ class: "controls" });
  const colours = element("div", { class: "paints", role: "group", "aria-label": "Colours" }, controls);
  for (const [name, colour] of Object.entries(paints)) {
    const button = element("button", { type: "button", "aria-label": name, title: name }, colours);
    button.style.background = css(colour);
    const pressed = () => button.setAttribute("aria-pressed", state.paint === colour);
    button.addEventListener("click", () => {
      state.paint = colour;
      colours.dispatchEvent(new Event("paint"));
    });
    colours.addEventListener("paint", pressed);
    pressed();
  }
  const empty = element("button", { type: "button" }, colours, "fill with it");
  empty.addEventListener("click", () => {
    brush.fillStyle = css(state.paint);
    brush.fillRect(0, 0, side, side);
    drawn();
  });

  function slider(label, low, high, step, value, told, change) {
    const line = element("label", { class: "line" }, controls);
    element("span", {}, line, label);
    const input = element("input", { type: "range", min: low, max: high, step, value }, line);
    const output = element("output", {}, line, told(value));
    input.addEventListener("input", () => {
      output.textContent = told(Number(input.value));
      change(Number(input.value));
    });
  }
  const two = (value) => value.toPrecision(2);
  slider("brush", 0.5, 8, 0.5, state.brush, two, (value) => (state.brush = value));
  const power = Math.log10(state.temperature);
  slider("temperature τ", -1, 2, 0.05, power, (value) => two(10 ** value), (value) => {
    state.temperature = 10 ** value;
    translate();
  });
  slider("alpha α", 0, 1, 0.05, state.alpha, (value) => value.toFixed(2), (value) => {
    state.alpha = value;
    translate();
  });

  const directions = element("fieldset", { class: "directions" }, controls);
  element("legend", {}, directions, "translate into a");
  const radios = {};
  for (const [name, target] of Object.entries(domains)) {
    const line = element("label", {}, directions);
    radios[name] = element("input", { type: "radio", name: "direction", value: name }, line);
    line.append(` ${name}`);
    radios[name].addEventListener("change", () => {
      state.target = target;
      translate();
    });
  }
  const upload = element("label", { class: "line" }, controls);
  element("span", {}, upload, "a picture of yours");
  const file = element("input", { type: "file", accept: "image/*" }, upload);
  const status = inside({ class: "status", role: "status" });

  // Drawing, with strokes from one place of the pointer to the next.
  let last = null;
  function stroke(event) {
    const box = source.getBoundingClientRect();
    const here = [(event.clientX - box.left) / box.width * side, (event.clientY - box.top) / box.height * side];
    brush.strokeStyle = css(state.paint);
    brush.lineWidth = 2 * state.brush;
    brush.lineCap = "round";
    brush.beginPath();
    brush.moveTo(...(last ?? here));
    brush.lineTo(...here);
    brush.stroke();
    last = here;
    drawn();
  }
  source.addEventListener("pointerdown", (event) => {
    source.setPointerCapture(event.pointerId);
    event.preventDefault();
    last = null;
    stroke(event);
  });
  source.addEventListener("pointermove", (event) => {
    if (source.hasPointerCapture(event.pointerId)) stroke(event);
  });

  function drawn() {
    twin.closest("figure").hidden = true; // nobody knows the counterpart of a drawing
    translate();
  }
  function aim(domain) {
    radios[domain].checked = true;
    state.target = domains[domain];
  }
  // The middle square of a picture.
  function put(image) {
    const [width, height] = [image.naturalWidth, image.naturalHeight], cut = Math.min(width, height);
    brush.imageSmoothingQuality = "high";
    brush.fillStyle = "white"; // below what is transparent
    brush.fillRect(0, 0, side, side);
    brush.drawImage(image, (width - cut) / 2, (height - cut) / 2, cut, cut, 0, 0, side, side);
  }
  async function opened(address) {
    const image = new Image();
    image.src = address;
    await image.decode();
    return image;
  }
  async function choose(scene) {
    put(await opened(scene.picture));
    aim(Object.keys(domains).find((name) => name !== scene.domain));
    twin.src = scene.counterpart;
    twin.alt = `${scene.text}: the same scene in the other domain`;
    twin.closest("figure").hidden = false;
    await translate();
  }
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    const address = URL.createObjectURL(file.files[0]);
    try {
      put(await opened(address));
      drawn();
    } catch {
      status.textContent = `${file.files[0].name} is not a picture that this browser can open.`;
    } finally {
      URL.revokeObjectURL(address);
    }
  });

  // One translation at a time; what was asked for meanwhile is done once more at the end.
  let session = null, running = null, again = false;
  async function translate() {
    again = state.busy = true;
    running ??= run();
    await running;
  }
  async function run() {
    try {
      while (again) {
        again = false;
        if (!session) status.textContent = `The model is loaded, ${about.megabytes} MB, once.`;
        session ??= await translator.start(folder);
        const tensor = translator.toTensor(brush.getImageData(0, 0, side, side).data);
        const { target, temperature, alpha } = state;
        const told = await translator.translate(session, tensor, target, temperature, alpha);
        const pixels = new ImageData(translator.toPixels(told.picture), side, side);
        shown.getContext("2d").putImageData(pixels, 0, 0);
        say(told.milliseconds);
        state.last = { tensor, target, temperature, alpha, picture: told.picture };
      }
    } catch (error) {
      status.textContent = `The translation failed: ${error.message}`;
    } finally {
      running = null;
      state.busy = false;
    }
  }
  function say(milliseconds) {
    state.times.push(milliseconds);
    const sorted = state.times.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    const shown = (time) => `${time < 10 ? time.toFixed(1) : time.toFixed(0)} ms`;
    const count = sorted.length === 1 ? "" : ` (median of ${sorted.length}: ${shown(median)})`;
    status.textContent = `Translated in ${shown(milliseconds)}${count}.`;
  }

  translator.state = state;
  twin.closest("figure").hidden = true;
  aim(Object.keys(domains).at(-1));
  opened(scenes[0].picture).then(put);
  status.textContent =
    `Choose a scene or draw: the first translation loads the model, ${about.megabytes} MB.`;
});
