// What both pages tell the benchmark: that they play, and how often they drew.

const post = (path, body) =>
  fetch(path, { method: "POST", body: JSON.stringify(body) });

const fail = (reason) => post("/failed", { reason: String(reason) });
window.addEventListener("error", (event) => fail(event.message));
window.addEventListener("unhandledrejection", (event) => fail(event.reason));

// Pixels of `gl` that are not wholly transparent. To be called in the task that
// drew them: the browser takes them away afterwards.
export function visiblePixels(gl) {
  const { drawingBufferWidth: width, drawingBufferHeight: height } = gl;
  const bytes = new Uint8Array(width * height * 4);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  let visible = 0;
  for (let at = 3; at < bytes.length; at += 4) {
    visible += bytes[at] > 0;
  }
  return visible;
}

export function rasteriser(gl) {
  const named = gl.getExtension("WEBGL_debug_renderer_info");
  return gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
}

// Says that the page plays, then counts between two answers of the benchmark,
// which come when its clock starts and when it ends. Nothing is asked or said in
// between.
export async function report(ready, counts) {
  await post("/ready", {
    ...ready,
    viewport: [window.innerWidth, window.innerHeight],
  });
  await fetch("/begin");
  const before = counts();
  const began = performance.now();
  await fetch("/end");
  const seconds = (performance.now() - began) / 1000;
  const after = counts();
  const counted = Object.fromEntries(
    Object.keys(after).map((name) => [name, after[name] - before[name]]),
  );
  await post("/result", { seconds, ...counted });
}
