import * as THREE from "three";
import { rasteriser, report, visiblePixels } from "./common.js";

const asked = new URLSearchParams(location.search);
const width = Number(asked.get("width"));
const height = Number(asked.get("height"));

// As in catalog.toml, where the shorter side of the stage is 1,000 units.
const COUNT = 1000;
const UNIT = Math.min(width, height) / 1000;
const SIZE = 44.444 * UNIT;
const BURST = [10, 240];
const DRAG = 0.5;
const WANDER = 60;
const OPACITY = 0.5;
const LOOK_AT = 30;

const renderer = new THREE.WebGLRenderer({ alpha: true, antialias: false });
renderer.setPixelRatio(1);
renderer.setSize(width, height);
renderer.setClearColor(0, 0);
document.getElementById("stage").append(renderer.domElement);

const camera = new THREE.OrthographicCamera(
  -width / 2, width / 2, height / 2, -height / 2, -1, 1,
);
const scene = new THREE.Scene();
const positions = new Float32Array(COUNT * 3);
const velocities = new Float32Array(COUNT * 2);
const phases = new Float32Array(COUNT);
for (let i = 0; i < COUNT; i += 1) {
  const angle = Math.random() * 2 * Math.PI;
  const speed = BURST[0] + Math.random() * (BURST[1] - BURST[0]);
  velocities[i * 2] = Math.cos(angle) * speed * UNIT;
  velocities[i * 2 + 1] = Math.sin(angle) * speed * UNIT;
  phases[i] = Math.random() * 2 * Math.PI;
}
const place = new THREE.BufferAttribute(positions, 3);
place.setUsage(THREE.DynamicDrawUsage);
const geometry = new THREE.BufferGeometry().setAttribute("position", place);
const material = new THREE.PointsMaterial({
  map: await new THREE.TextureLoader().loadAsync("/assets/textures/dot.png"),
  size: SIZE,
  sizeAttenuation: false,
  opacity: OPACITY,
  transparent: true,
  blending: THREE.AdditiveBlending,
  depthTest: false,
  depthWrite: false,
});
const points = new THREE.Points(geometry, material);
points.frustumCulled = false;
scene.add(points);

// The same steps as shaders/particle_update.wgsl.
function move(age, dt) {
  const keeps = Math.exp(-DRAG * dt);
  const push = WANDER * UNIT * dt;
  for (let i = 0; i < COUNT; i += 1) {
    const x = i * 2;
    const y = x + 1;
    const phase = phases[i];
    velocities[x] = (velocities[x] + push * Math.sin(age * 2.3 + phase * 3)) * keeps;
    velocities[y] = (velocities[y] + push * Math.cos(age * 1.9 + phase * 5)) * keeps;
    positions[i * 3] += velocities[x] * dt;
    positions[i * 3 + 1] += velocities[y] * dt;
  }
  place.needsUpdate = true;
}

let drawn = 0;
let began;
let before;

function frame(now) {
  began ??= now;
  move((now - began) / 1000, Math.min((now - (before ?? now)) / 1000, 0.1));
  before = now;
  renderer.render(scene, camera);
  drawn += 1;
  if (drawn === LOOK_AT) {
    const gl = renderer.getContext();
    const ready = {
      visible: visiblePixels(gl),
      size: [gl.drawingBufferWidth, gl.drawingBufferHeight],
      rasteriser: rasteriser(gl),
    };
    report(ready, () => ({ drawn }));
  }
  requestAnimationFrame(frame);
}
requestAnimationFrame(frame);
