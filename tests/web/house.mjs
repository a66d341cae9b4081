// What the tests of the desk stand on: the built program's relay, renderers that
// join it, and a browser. Everything is real, on loopback addresses.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const required = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = required("playwright-core");

/** Milliseconds for anything that has to come; only a fault takes so long. */
export const PATIENCE = 30_000;

/** How often something is looked at again (milliseconds). */
const AGAIN = 50;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const target = process.env.CARGO_TARGET_DIR ?? here("../../target");
const program = process.env.HYPERFOCUS_PROGRAM ?? join(target, "debug/hyperfocus");
const python = process.env.HYPERFOCUS_TEST_PYTHON ?? join(process.env.HYPERFOCUS_VENV ?? join(target, "venv"), "bin/python");

/** Waits until `look` gives something true, and gives that. */
export async function until(what, look) {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
        const seen = await look();
        if (seen) return seen;
        assert.ok(Date.now() < deadline, `no ${what}`);
        await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
}

/** A test that cannot be made here says so; where it has to be, that is a fault. */
export function cannot(t, why) {
    console.error(`SKIPPED: ${t.name}: ${why}`);
    assert.notEqual(process.env.HYPERFOCUS_NO_SKIP, "1", why);
    t.skip(why);
}

/**
 * What the program sees of the environment: none of this machine's settings, since
 * what is configured here or stands there would lead a test to sources and stores
 * that are real.
 */
function alone(home) {
    const others = Object.entries(process.env).filter(([name]) => !/^(HYPERFOCUS|XDG)_/.test(name));
    return { ...Object.fromEntries(others), HOME: home, XDG_RUNTIME_DIR: home };
}

const endings = new WeakMap();

/** Undoes things when a test is over, the latest first, all of them whatever fails. */
function atEnd(t, undo) {
    const known = endings.get(t);
    if (known) return void known.push(undo);
    const all = [undo];
    endings.set(t, all);
    t.after(async () => {
        const faults = [];
        for (const undo of all.reverse()) await Promise.resolve().then(undo).catch((fault) => faults.push(fault));
        if (faults.length > 0) throw faults[0];
    });
}

async function end(child) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    await gone;
}

/** A running `hyperfocus serve`. */
export class Relay {
    static async start(t, { folder, port = 0 } = {}) {
        const data = folder ?? (await mkdtemp(join(tmpdir(), "hyperfocus-desk-")));
        if (!folder) atEnd(t, () => rm(data, { recursive: true, force: true }));
        const child = spawn(program, ["serve", "--listen", `127.0.0.1:${port}`, "--data-dir", data], {
            stdio: ["ignore", "pipe", "inherit"],
            env: alone(data),
        });
        atEnd(t, () => end(child));
        const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
        const first = await lines.next();
        assert.ok(!first.done, "the relay says where it is");
        const address = /http:\/\/(127\.0\.0\.1:\d+)/.exec(first.value)?.[1];
        assert.ok(address, first.value);
        child.stdout.resume();
        return new Relay(child, data, address);
    }

    constructor(child, folder, address) {
        Object.assign(this, { child, folder, address, origin: `http://${address}` });
    }

    stop() {
        return end(this.child);
    }

    async token(role) {
        return (await readFile(join(this.folder, `${role}.token`), "utf8")).trim();
    }

    async ask(role, method, path, body) {
        const response = await fetch(this.origin + path, {
            method,
            headers: {
                Authorization: `Bearer ${await this.token(role)}`,
                ...(body === undefined ? {} : { "Content-Type": "application/json" }),
            },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
        return text ? JSON.parse(text) : null;
    }

    /** A link that signs one browser in. */
    async link() {
        return (await this.ask("host", "POST", "/v1/desk/codes")).url;
    }

    /** Sends gifts in, as a platform would. */
    async give(...gifts) {
        const whole = gifts.map((gift, index) => ({
            giftId: `${Date.now()}-${index}-${Math.random().toString(36).slice(2)}`,
            giftType: "rose",
            quantity: 1,
            totalValue: 1,
            ...gift,
            sender: { userId: "ada", username: "Ada", ...gift.sender },
        }));
        await this.ask("ingest", "POST", "/v1/streams/main/gifts", whole);
        return whole;
    }
}

/** A host's renderer in another language, `tests/foreign/host.py`. */
export class ForeignHost {
    static async join(t, relay) {
        const child = spawn(python, ["-B", here("../foreign/host.py"), `ws://${relay.address}/ws`], {
            stdio: ["pipe", "pipe", "inherit"],
            env: { ...process.env, TOKEN: await relay.token("host") },
        });
        atEnd(t, () => end(child));
        const host = new ForeignHost(child);
        await host.told("connection:ack");
        return host;
    }

    constructor(child) {
        this.child = child;
        this.messages = [];
        createInterface({ input: child.stdout }).on("line", (line) => this.messages.push(JSON.parse(line)));
    }

    /** The first message of a type whose payload fits. */
    async told(type, fits = () => true) {
        const found = await until(`${type} at the renderer`, () =>
            this.messages.find((message) => message.type === type && fits(message.payload)),
        );
        return found.payload;
    }

    control(action) {
        return this.told("x-control", (payload) => payload.action === action);
    }

    /** `play`, `fail` and a reason, or `late`. */
    say(line) {
        this.child.stdin.write(`${line}\n`);
    }
}

/** A viewer's renderer in another language, `tests/foreign/viewer.py`. */
export class ForeignViewer {
    static async join(t, relay, client) {
        const told = [`ws://${relay.address}/ws`, "--client", client, "--gifts", "1000"];
        const child = spawn(python, ["-B", here("../foreign/viewer.py"), ...told], {
            stdio: ["ignore", "ignore", "inherit"],
            env: { ...process.env, TOKEN: await relay.token("viewer") },
        });
        atEnd(t, () => end(child));
    }
}

/** Whether the program at hand can draw; it says so when it was built without that. */
export function canRun() {
    const home = mkdtempSync(join(tmpdir(), "hyperfocus-devices-"));
    const asked = spawnSync(program, ["devices"], { encoding: "utf8", env: alone(home) });
    rmSync(home, { recursive: true, force: true });
    return !/without the renderer/.test(asked.stderr);
}

/** The program's own renderer, headless. */
export class Renderer {
    static async start(t, relay, ...more) {
        const folder = await mkdtemp(join(tmpdir(), "hyperfocus-run-"));
        atEnd(t, () => rm(folder, { recursive: true, force: true }));
        const child = spawn(
            program,
            [
                ...["run", "--headless", "--json", "--size", "320x180"],
                ...["--url", `ws://${relay.address}/ws`, "--stream", "main"],
                ...["--token-file", join(relay.folder, "host.token")],
                ...more,
            ],
            {
                stdio: ["ignore", "pipe", "inherit"],
                cwd: here("../.."),
                env: alone(folder),
            },
        );
        atEnd(t, () => end(child));
        return new Renderer(child);
    }

    constructor(child) {
        this.child = child;
        this.said = "";
        child.stdout.on("data", (chunk) => (this.said += chunk));
    }

    /** Ends it; its closing summary. */
    async summary() {
        await end(this.child);
        return JSON.parse(this.said);
    }
}

/** A browser for a file of tests. */
export function browser() {
    return chromium.launch({
        executablePath: spawnSync("sh", ["-c", "command -v chromium || command -v chromium-browser || command -v google-chrome"], { encoding: "utf8" }).stdout.trim(),
        args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    });
}

/**
 * A page that has nothing to complain about: at the test's end its console is
 * empty, and nothing was kept from it by the content policy.
 */
export async function page(t, browser, options = {}) {
    const { forgives = [], ...more } = options;
    const context = await browser.newContext({ viewport: { width: 1400, height: 950 }, locale: "en-GB", ...more });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    atEnd(t, async () => {
        await context.close();
        const left = complaints.filter((text) => !forgives.some((pattern) => pattern.test(text)));
        assert.deepEqual(left, [], "the page's console is empty");
    });
    return page;
}

/** A page that is signed in and shows the stream "main". */
export async function desk(t, browser, relay, options = {}) {
    const opened = await page(t, browser, options);
    await opened.goto(await relay.link());
    await opened.locator(".link[data-state=open]").waitFor();
    return opened;
}

/**
 * Keeps the page's next request that fits from leaving, by its method and path;
 * what is returned lets it go.
 */
export async function heldBack(page, pattern) {
    await page.evaluate((pattern) => {
        const ask = window.fetch;
        window.fetch = async (path, options) => {
            if (new RegExp(pattern).test(`${options?.method} ${path}`)) {
                window.fetch = ask;
                await new Promise((resolve) => (window.letGo = resolve));
            }
            return ask(path, options);
        };
    }, pattern.source);
    return async () => {
        await until("the request", () => page.evaluate(() => Boolean(window.letGo)));
        await page.evaluate(() => window.letGo());
    };
}

/** Gives the page's script its stream of events, as `window.events`. */
export function withEvents(page) {
    return page.addInitScript(() => {
        const Real = window.EventSource;
        window.EventSource = class extends Real {
            constructor(url) {
                super(url);
                window.events = this;
            }
        };
    });
}

/** A part of the page by its heading. */
export const part = (page, name) => page.getByRole("region", { name, exact: true });

export const axeSource = () => readFile(required.resolve("axe-core/axe.min.js"), "utf8");
