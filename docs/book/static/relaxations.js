// The four relaxations of varbook/translate/relaxation.py for one token: logits [V] and codes
// [V][C] in, a vector [C] out; `sent` is what the decoder gets, alpha parts of that and the rest of
// the source's vector (CycleVAR eq. 9), and the gradient is that of the loss |sent - goal|^2 at the
// logits. Plain numbers, no library; tests compare it with torch.
const relaxations = (() => {
  const METHODS = ["argmax", "straight_through", "gumbel", "softmax"];

  // softmax(logits / temperature), without overflow.
  function softmax(logits, temperature) {
    const top = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp((logit - top) / temperature));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  }

  function oneHot(values) {
    const best = values.indexOf(Math.max(...values));
    return values.map((_, v) => (v === best ? 1 : 0));
  }

  function mix(weights, codes) {
    return codes[0].map((_, c) => codes.reduce((sum, code, v) => sum + weights[v] * code[c], 0));
  }

  // Gumbel noise for one uniform number. The largest of logits with such noise is a sample from
  // their softmax.
  function gumbel(uniform) {
    return -Math.log(-Math.log(Math.min(Math.max(uniform, 1e-9), 1 - 1e-7)));
  }

  // {weights, out, sent, loss, gradient}: the weight of each code going forward, the vector, what
  // is sent, its loss, and what arrives at the logits.
  function relax(method, logits, codes, temperature, noise, goal, source = goal, alpha = 1) {
    const used = method === "gumbel" ? logits.map((logit, v) => logit + noise[v]) : logits;
    const soft = softmax(used, temperature); // eq. 10
    const weights = method === "softmax" ? soft : oneHot(used);
    const out = mix(weights, codes); // eq. 11, or eqs. 3 and 4
    const sent = out.map((value, c) => alpha * value + (1 - alpha) * source[c]); // eq. 9
    const above = sent.map((value, c) => 2 * alpha * (value - goal[c]));
    const loss = sent.reduce((sum, value, c) => sum + (value - goal[c]) ** 2, 0);
    if (method === "argmax") return { weights, out, sent, loss, gradient: logits.map(() => 0) };
    // q_v / tau <g, Z_v - sum_v q_v Z_v>, with g taken at `sent`
    const centre = mix(soft, codes);
    const inner = (code) => code.reduce((sum, value, c) => sum + above[c] * (value - centre[c]), 0);
    const gradient = codes.map((code, v) => (soft[v] / temperature) * inner(code));
    return { weights, out, sent, loss, gradient };
  }

  return { METHODS, gumbel, relax };
})();
if (typeof module !== "undefined") module.exports = relaxations;
