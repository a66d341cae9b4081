import { rasteriser, report, visiblePixels } from "./common.js";

const asked = new URLSearchParams(location.search);
const number = (name) => Number(asked.get(name));
const container = document.getElementById("stage");
container.style.width = `${number("width")}px`;
container.style.height = `${number("height")}px`;

// Frames after which the page is asked what it shows: the file begins dark.
const LOOK_AT = 45;

const config = await (await fetch("/vapc.json")).json();
const { w, h } = config.info;
let drawn = 0;
let fresh = 0;
let last = -1;

const player = new Vap.default({
  container,
  src: asked.get("src"),
  config,
  // As high as the page, without more pixels than that takes.
  width: Math.round((number("height") * w) / h),
  height: number("height"),
  loop: true,
  mute: true,
  accurate: asked.get("accurate") === "1",
});

player.on("frame", (frame) => {
  drawn += 1;
  fresh += frame !== last;
  last = frame;
  if (drawn === LOOK_AT) {
    // The player draws after it has told us, within the same task.
    queueMicrotask(begin);
  }
});

function begin() {
  const { gl, video } = player;
  const ready = {
    visible: visiblePixels(gl),
    size: [gl.drawingBufferWidth, gl.drawingBufferHeight],
    rasteriser: rasteriser(gl),
  };
  report(ready, () => {
    const quality = video.getVideoPlaybackQuality();
    return {
      drawn,
      fresh,
      decoded: quality.totalVideoFrames,
      dropped: quality.droppedVideoFrames,
    };
  });
}
