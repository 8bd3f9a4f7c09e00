// CycleVAR of the toy world in the browser: pictures become tensors [1, 3, side, side] in [-1, 1],
// onnxruntime-web translates them. Nothing is fetched: the parts are scripts that lie beside the
// page and call `receive`, so the page also works when it is opened from the disk.
const translator = (() => {
  const parts = {};
  const receive = (name, value) => (parts[name] = value);

  function script(address) {
    return new Promise((done, failed) => {
      const tag = document.createElement("script");
      tag.src = address;
      tag.addEventListener("load", done);
      tag.addEventListener("error", () => failed(new Error(`${address} could not be loaded`)));
      document.head.append(tag);
    });
  }

  // The bytes of a part, which is gzip written as base64.
  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(plain).arrayBuffer());
  }

  // The exported model, ready to run; `folder` holds the parts.
  async function start(folder) {
    await Promise.all(["onnxruntime", "runtime", "model"].map((name) => script(`${folder}/${name}.js`)));
    const loader = new Blob([await unpacked(parts.runtime.loader)], { type: "text/javascript" });
    // More threads would need headers that a plain web server, or a disk, does not send.
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = { mjs: URL.createObjectURL(loader) };
    ort.env.wasm.wasmBinary = (await unpacked(parts.runtime.program)).buffer;
    return ort.InferenceSession.create(await unpacked(parts.model));
  }

  // Red, green, blue, opacity of each pixel -> a plane for each colour.
  function toTensor(pixels) {
    const count = pixels.length / 4, tensor = new Float32Array(3 * count);
    for (let colour = 0; colour < 3; colour++) {
      for (let i = 0; i < count; i++) tensor[colour * count + i] = pixels[4 * i + colour] / 127.5 - 1;
    }
    return tensor;
  }

  function toPixels(tensor) {
    const count = tensor.length / 3, pixels = new Uint8ClampedArray(4 * count).fill(255);
    for (let colour = 0; colour < 3; colour++) {
      for (let i = 0; i < count; i++) pixels[4 * i + colour] = (tensor[colour * count + i] + 1) * 127.5;
    }
    return pixels; // a clamped array rounds by itself
  }

  // {picture, milliseconds}: the translation of a tensor into the class `target`.
  async function translate(session, picture, target, temperature, alpha) {
    const side = Math.sqrt(picture.length / 3);
    const number = (value) => new ort.Tensor("float32", [value], []);
    const inputs = {
      image: new ort.Tensor("float32", picture, [1, 3, side, side]),
      target: new ort.Tensor("int64", [BigInt(target)], [1]),
      temperature: number(temperature),
      alpha: number(alpha),
    };
    const start = performance.now();
    const { translation } = await session.run(inputs);
    return { picture: translation.data, milliseconds: performance.now() - start };
  }

  return { parts, receive, unpacked, start, toTensor, toPixels, translate };
})();
if (typeof module !== "undefined") module.exports = translator;
