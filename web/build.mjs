// Builds the desk: `dist/index.html`, `dist/desk.js` and `dist/desk.css`, which
// the relay carries within itself.

import { build } from "esbuild";
import { copyFile, readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const here = (path) => new URL(path, import.meta.url);

/** The page is loaded by a host in the middle of a show: it stays small. */
const MOST_BYTES = 160 * 1024;

/** What test gifts are offered: the names of the catalogue's own gifts. */
async function giftTypes() {
    const catalog = await readFile(here("../assets/catalog.toml"), "utf8");
    const names = [...catalog.matchAll(/^\[gift\.([\w-]+)\]$/gm)].map((match) => match[1]);
    if (names.length === 0) throw new Error("assets/catalog.toml names no gift");
    return names;
}

/** uPlot's terms ask that its notice goes wherever its code goes. */
async function notice() {
    const licence = await readFile(here("node_modules/uplot/LICENSE"), "utf8");
    return `/*! Contains uPlot.\n\n${licence.trim()}\n*/`;
}

const banner = await notice();
await build({
    entryPoints: [
        { in: "src/main.ts", out: "desk" },
        { in: "src/desk.css", out: "desk" },
    ],
    absWorkingDir: fileURLToPath(here(".")),
    outdir: "dist",
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome103", "firefox104", "safari16"],
    charset: "utf8",
    legalComments: "inline",
    banner: { js: banner, css: banner },
    define: { GIFT_TYPES: JSON.stringify(await giftTypes()) },
    logLevel: "warning",
});
const { size } = await stat(here("dist/desk.js"));
if (size > MOST_BYTES) throw new Error(`desk.js has ${size} bytes, more than ${MOST_BYTES}`);
// Last, so that a page is there only when its parts are.
await copyFile(here("index.html"), here("dist/index.html"));
