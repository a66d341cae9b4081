// The desk in a real browser, against the built program's relay and a host's
// renderer that shares no code with either.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";

import {
    browser as launch,
    desk,
    ForeignHost,
    ForeignViewer,
    heldBack,
    page as blank,
    part,
    Relay,
    until,
    withEvents,
} from "./house.mjs";

let browser;
before(async () => {
    browser = await launch();
});
after(() => browser?.close());

/** A relay, a host at it, and the desk. */
async function show(t, options) {
    const relay = await Relay.start(t);
    const host = await ForeignHost.join(t, relay);
    const page = await desk(t, browser, relay, options);
    return { relay, host, page };
}

const rows = (page, name) => part(page, name).getByRole("listitem");
const row = (page, name, text) => rows(page, name).filter({ hasText: text });

test("a link signs one browser in, once", async (t) => {
    const relay = await Relay.start(t);
    const link = await relay.link();
    const page = await blank(t, browser);
    await page.goto(link);
    await page.getByRole("heading", { name: "Controls" }).waitFor();
    assert.equal(page.url(), `${relay.origin}/desk?stream=main`, "the code is gone from the address");
    const [cookie] = await page.context().cookies();
    assert.ok(cookie.httpOnly && cookie.sameSite === "Strict", JSON.stringify(cookie));
    await page.reload();
    await page.getByRole("heading", { name: "Controls" }).waitFor();

    const second = await blank(t, browser, { forgives: [/401/] });
    await second.goto(link);
    await second.getByRole("alert").filter({ hasText: /refused/ }).waitFor();
    assert.equal(await second.getByRole("heading", { name: "Controls" }).count(), 0);
    // A fresh one can be pasted.
    await second.getByLabel("Link or code").fill(await relay.link());
    await second.getByRole("button", { name: "Open the desk" }).click();
    await second.getByRole("heading", { name: "Controls" }).waitFor();
    await second.getByRole("button", { name: "Sign out" }).click();
    await second.getByLabel("Link or code").waitFor();
    await second.reload();
    await second.getByLabel("Link or code").waitFor();
});

test("a relay without anything says what to do", async (t) => {
    const relay = await Relay.start(t);
    const page = await desk(t, browser, relay);
    const renderers = part(page, "Renderers");
    await renderers.getByText("No renderer is connected").waitFor();
    const command = `hyperfocus run --url ws://${relay.address}/ws --stream main`;
    await renderers.getByText(command).waitFor();
    await part(page, "Recent gifts").getByText("No gifts yet").waitFor();
    await part(page, "Controls").getByRole("button", { name: "Pause" }).click();
    await part(page, "Controls").getByRole("status").filter({ hasText: "No renderer that takes" }).waitFor();
    const pause = part(page, "Controls").getByRole("button", { name: "Pause" });
    assert.equal(await pause.getAttribute("aria-pressed"), "false", "nobody paused");
});

test("gifts appear, and then what became of each", async (t) => {
    const { relay, host, page } = await show(t);
    await relay.give({ giftType: "rocket", quantity: 3, sender: { username: "Grace" } });
    await row(page, "Queue", "rocket").filter({ hasText: "Grace" }).waitFor();
    await row(page, "Recent gifts", "rocket").filter({ hasText: "waiting" }).waitFor();
    host.say("play");
    await row(page, "Recent gifts", "rocket").filter({ hasText: "shown" }).waitFor();
    await part(page, "Queue").getByText("Nothing waits.").waitFor();

    await relay.give({ giftType: "crown" });
    await row(page, "Recent gifts", "crown").waitFor();
    await host.told("gift:received", (gift) => gift.giftType === "crown");
    host.say("fail the model is damaged");
    const failed = row(page, "Recent gifts", "crown").filter({ hasText: "not shown" });
    await failed.filter({ hasText: "the model is damaged" }).waitFor();
    // Newest first, and only those of a kind when asked.
    assert.match(await rows(page, "Recent gifts").first().innerText(), /crown/);
    await part(page, "Recent gifts").getByLabel("Show").selectOption("rendered");
    await until("the filtered list", async () => (await rows(page, "Recent gifts").count()) === 1);
    assert.match(await rows(page, "Recent gifts").innerText(), /rocket/);

    await row(page, "Recent gifts", "rocket").getByRole("button", { name: "Replay" }).click();
    const replay = await host.control("replay");
    const [gift] = host.messages.filter((message) => message.type === "gift:received");
    assert.equal(replay.giftId, gift.payload.giftId);
});

test("a parked gift is sent again or dismissed from its row", async (t) => {
    const first = await Relay.start(t);
    await first.give({ giftType: "rocket" }, { giftType: "crown" });
    await first.stop();
    // As gifts are that no renderer answered for long.
    const park = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript('UPDATE gifts SET state = 3')";
    const parked = spawnSync("python3", ["-c", park, join(first.folder, "relay.sqlite")]);
    assert.equal(parked.status, 0, String(parked.stderr));
    const relay = await Relay.start(t, { folder: first.folder });
    const host = await ForeignHost.join(t, relay);
    const page = await desk(t, browser, relay);
    const gifts = part(page, "Recent gifts");
    const act = (gift, name) => row(page, "Recent gifts", gift).filter({ hasText: "parked" }).getByRole("button", { name });
    await act("rocket", "Send again").click();
    await gifts.getByText("Sent again: rocket from Ada.").waitFor();
    await host.told("gift:received", (gift) => gift.giftType === "rocket");
    host.say("play");
    await row(page, "Recent gifts", "rocket").filter({ hasText: "shown" }).waitFor();
    await row(page, "Recent gifts", "rocket").filter({ hasText: "sent again" }).waitFor();
    await act("crown", "Dismiss").click();
    await row(page, "Recent gifts", "crown").filter({ hasText: "dismissed by the host" }).waitFor();
    assert.equal(await gifts.getByRole("button", { name: "Dismiss" }).count(), 0);
});

test("a test gift reaches the renderer", async (t) => {
    const { host, page } = await show(t);
    const form = part(page, "Test gifts");
    await form.getByLabel("Gift", { exact: true }).fill("galaxy");
    await form.getByLabel("Quantity").fill("7");
    await form.getByRole("button", { name: "Play" }).click();
    const { giftType, quantity } = await host.control("test");
    assert.deepEqual({ giftType, quantity }, { giftType: "galaxy", quantity: 7 });
    await form.getByLabel("Streak of").fill("5");
    assert.ok(await form.getByLabel("Quantity").isDisabled(), "a streak has one gift a message");
    await form.getByRole("button", { name: "Play" }).click();
    await host.told("x-control", (told) => told.giftType === "galaxy" && told.streak === 5);
    await form.getByText("On its way: galaxy").waitFor();
    assert.equal(await rows(page, "Recent gifts").count(), 0, "it counts nowhere");
});

test("switches reach the renderer and show what it does", async (t) => {
    const { host, page, relay } = await show(t);
    const controls = part(page, "Controls");
    for (const [label, action, on] of [
        ["Pause", "pause", undefined],
        ["Mute", "mute", true],
        ["Do not disturb", "do-not-disturb", true],
    ]) {
        const button = controls.getByRole("button", { name: label });
        await button.click();
        assert.equal((await host.control(action)).on, on);
        await until(`${label} on`, async () => (await button.getAttribute("aria-pressed")) === "true");
    }
    await controls.getByRole("button", { name: "Pause" }).click();
    await host.control("resume");
    // What somebody else does shows here too.
    await relay.ask("host", "POST", "/v1/streams/main/control", { action: "mute", on: false });
    const mute = controls.getByRole("button", { name: "Mute" });
    await until("unmuted", async () => (await mute.getAttribute("aria-pressed")) === "false");
    await controls.getByRole("button", { name: "Skip" }).click();
    await host.control("skip");

    await controls.getByLabel("Volume").fill("35");
    const { level } = await host.control("volume");
    assert.ok(Math.abs(level - 0.35) < 0.005, String(level));
    await controls.getByText("35%").waitFor();
});

test("a host and a viewer of one name are two renderers", async (t) => {
    const { relay, page } = await show(t);
    await ForeignViewer.join(t, relay, "foreign-host");
    // What each says of its memory, once both have answered a ping.
    const card = (kind) => part(page, "Renderers").getByRole("listitem").filter({ hasText: kind });
    await card("Viewer").getByText("2MB", { exact: true }).waitFor();
    await card("Host").getByText("128MB", { exact: true }).waitFor();
    assert.equal(await rows(page, "Renderers").count(), 2);
    for (const kind of ["Host", "Viewer"]) {
        await card(kind).getByRole("button", { name: `Show this one: ${kind} foreign-`, exact: true }).waitFor();
    }
});

test("single gifts are held, released and skipped", async (t) => {
    const { relay, host, page } = await show(t);
    const [first, second] = await relay.give({ giftType: "heart" }, { giftType: "lion" });
    await row(page, "Queue", "lion").waitFor();
    await row(page, "Queue", "heart").getByRole("button", { name: "Hold" }).click();
    assert.equal((await host.control("hold")).giftId, first.giftId);
    await row(page, "Queue", "heart").getByRole("button", { name: "Release" }).waitFor();
    host.say("play");
    await row(page, "Recent gifts", "lion").filter({ hasText: "shown" }).waitFor();
    assert.equal(await row(page, "Recent gifts", "heart").filter({ hasText: "shown" }).count(), 0);
    await row(page, "Queue", "heart").getByRole("button", { name: "Release" }).click();
    assert.equal((await host.control("release")).giftId, first.giftId);
    await row(page, "Queue", "heart").getByRole("button", { name: "Skip" }).click();
    assert.equal((await host.control("skip")).giftId, first.giftId);
    await row(page, "Recent gifts", "heart").filter({ hasText: "not shown" }).waitFor();
    assert.notEqual(first.giftId, second.giftId);
});

test("what was told before a gift was held does not turn its button back", async (t) => {
    const { relay, host, page } = await show(t);
    const [heart] = await relay.give({ giftType: "heart" });
    host.say("late");
    await row(page, "Queue", "heart").getByRole("button", { name: "Hold" }).click();
    await host.control("hold");
    await relay.give({ giftType: "lion" });
    await row(page, "Queue", "lion").waitFor();
    await row(page, "Queue", "heart").getByRole("button").first().click();
    assert.equal((await host.control("release")).giftId, heart.giftId);
});

test("what happens while the page asks for it is not lost to an older answer", async (t) => {
    const relay = await Relay.start(t);
    const host = await ForeignHost.join(t, relay);
    await relay.give({ giftType: "rose" });
    const page = await blank(t, browser);
    // The answer is there, and takes its time to the page.
    await page.addInitScript(() => {
        const ask = window.fetch;
        window.fetch = async (path, ...more) => {
            const answer = await ask(path, ...more);
            if (path.includes("/gifts?")) await new Promise((resolve) => (window.letGo = resolve));
            return answer;
        };
    });
    await page.goto(await relay.link());
    await until("the answer", () => page.evaluate(() => Boolean(window.letGo)));
    await host.told("gift:received");
    host.say("play");
    await relay.give({ giftType: "heart" });
    await until("the end of the rose", async () => {
        const { gifts } = await relay.ask("host", "GET", "/v1/streams/main/gifts?state=rendered");
        return gifts.length === 1;
    });
    await row(page, "Recent gifts", "heart").waitFor();
    await page.evaluate(() => window.letGo());
    await row(page, "Recent gifts", "rose").filter({ hasText: "shown" }).waitFor();
    assert.equal(await row(page, "Recent gifts", "heart").count(), 1);
});

test("what is pressed twice happens in that order, and shows so", async (t) => {
    const { relay, host, page } = await show(t);
    const pause = part(page, "Controls").getByRole("button", { name: "Pause" });
    const letGo = await heldBack(page, /POST .*control/);
    await pause.click();
    await pause.click();
    await letGo();
    await host.control("resume");
    const said = host.messages.filter((message) => message.type === "x-control");
    assert.deepEqual(said.map((message) => message.payload.action), ["pause", "resume"]);

    // Nobody has held it yet at the renderer, which is what the second press asks for.
    await relay.give({ giftType: "heart" });
    host.say("late");
    const act = row(page, "Queue", "heart").getByRole("button").first();
    await act.click();
    await host.control("hold");
    const then = await heldBack(page, /POST .*control/);
    await act.click();
    await relay.give({ giftType: "lion" });
    await row(page, "Queue", "lion").waitFor();
    assert.match(await act.innerText(), /Hold/);
    await act.click();
    await then();
    await until("the second hold", () => {
        const said = host.messages.filter((message) => message.type === "x-control").slice(2);
        return said.map((message) => message.payload.action).join() === "hold,release,hold";
    });
});

test("a button that was clicked does not keep its list from changing", async (t) => {
    const { relay, host, page } = await show(t);
    await relay.give({ giftType: "rose" }, { giftType: "heart" });
    await row(page, "Queue", "heart").getByRole("button", { name: "Hold" }).click();
    await host.control("hold");
    await page.getByRole("heading", { name: "Hyperfocus desk" }).hover();
    host.say("play");
    await until("it left", async () => (await row(page, "Queue", "rose").count()) === 0);
});

test("renderers are listed however many come and go", async (t) => {
    const relay = await Relay.start(t);
    const page = await blank(t, browser);
    await withEvents(page);
    await page.goto(await relay.link());
    await page.locator(".link[data-state=open]").waitFor();
    await page.evaluate(() => {
        setInterval(() => window.events.dispatchEvent(new MessageEvent("joined", { data: "{}" })), 100);
    });
    await ForeignHost.join(t, relay);
    await part(page, "Renderers").getByText("Host", { exact: true }).waitFor();
});

test("a page that nobody looks at gives up its connection until somebody does", async (t) => {
    const relay = await Relay.start(t);
    const page = await blank(t, browser);
    await withEvents(page);
    await page.clock.install();
    await page.goto(await relay.link());
    await page.locator(".link[data-state=open]").waitFor();
    const look = (isAway) =>
        page.evaluate((isAway) => {
            Object.defineProperty(document, "hidden", { value: isAway, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }, isAway);
    const isClosed = () => page.evaluate(() => window.events.readyState === EventSource.CLOSED);
    await look(true);
    await page.clock.fastForward("04:30");
    // It may take the leap for a dead connection, and comes back by itself.
    await until("it is open", async () => !(await isClosed()));
    await page.clock.fastForward("01:00");
    await until("it is closed", isClosed);
    await page.clock.fastForward("00:20");
    assert.ok(await isClosed(), "and stays so");
    await relay.give({ giftType: "planet" });
    await look(false);
    await row(page, "Recent gifts", "planet").waitFor();
    assert.equal(await isClosed(), false);
});

test("a new link in the same tab opens the desk, and leaves no code behind", async (t) => {
    const relay = await Relay.start(t);
    // What it was asking when it was signed out is refused.
    const page = await desk(t, browser, relay, { forgives: [/401/] });
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Open the desk" }).waitFor();
    const link = await relay.link();
    await page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
    await page.locator(".link[data-state=open]").waitFor();
    assert.equal(new URL(page.url()).hash, "");
});

test("clearing asks once, and takes no for an answer", async (t) => {
    const { relay, host, page } = await show(t);
    await relay.give({}, {}, {});
    await part(page, "Queue").getByText("3 gifts wait").waitFor();
    const controls = part(page, "Controls");
    await controls.getByRole("button", { name: "Clear", exact: true }).click();
    await controls.getByText("Clear the stage and 3 waiting gifts?").waitFor();
    const focused = await page.evaluate(() => document.activeElement.textContent);
    assert.equal(focused, "Keep it", "a key that is held down does not confirm it");
    await page.keyboard.press("Escape");
    const clear = controls.getByRole("button", { name: "Clear", exact: true });
    await clear.waitFor();
    assert.ok(await clear.evaluate((button) => button === document.activeElement), "the focus is where it was");
    await clear.click();
    await controls.getByRole("button", { name: "Clear it" }).click();
    await host.control("clear");
    const told = host.messages.filter((message) => message.payload.action === "clear");
    assert.equal(told.length, 1, "no was no");
    await part(page, "Queue").getByText("Nothing waits.").waitFor();
});

test("the rate slider says what a rate means and applies it when let go", async (t) => {
    const { relay, host, page } = await show(t);
    const flood = Array.from({ length: 300 }, (_, n) => ({
        giftType: n % 3 ? "rose" : "rocket",
        sender: { userId: `u${n % 40}`, username: `User ${n % 40}` },
    }));
    await relay.give(...flood);
    await host.told("gift:received", () => host.messages.filter((m) => m.type === "gift:received").length >= 300);
    await page.reload();
    const pace = part(page, "Pace");
    const slider = pace.getByRole("slider");
    const wait = pace.locator("dl div").filter({ hasText: "Wait p95" }).locator("dd");
    await pace.getByText("300 gifts").waitFor();
    await slider.scrollIntoViewIfNeeded();
    const box = await slider.boundingBox();
    const at = (share) => [box.x + box.width * share, box.y + box.height / 2];
    const acks = () => host.messages.filter((message) => message.type === "connection:ack");
    const before = acks().length;

    const value = Number(await slider.inputValue());
    const share = value / Number(await slider.getAttribute("max"));
    await page.mouse.move(...at(share));
    await page.mouse.down();
    await page.mouse.move(...at(0.06), { steps: 4 });
    const slow = await wait.innerText();
    await page.mouse.move(...at(0.97), { steps: 4 });
    const fast = await wait.innerText();
    assert.notEqual(slow, fast, "different rates, different waits");
    assert.match(slow, /\d/);
    assert.match(await pace.locator(".advice").innerText(), /Recommended: \S+/);
    assert.equal(acks().length, before, "nothing is applied while it is dragged");
    const chosen = /[\d.]+/.exec(await pace.locator(".rate-value").innerText())[0];
    await page.mouse.up();
    await pace.getByText(`Applied: ${chosen}`).waitFor();
    await host.told("connection:ack", (ack) => ack.config.maxGiftsPerSecond === Number(chosen));

    // By keyboard: arrows move, Enter applies, Escape takes it back.
    await slider.focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Escape");
    assert.match(await pace.locator(".rate-value").innerText(), new RegExp(`^${chosen}\\b`));
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    const next = /[\d.]+/.exec(await pace.locator(".rate-value").innerText())[0];
    assert.notEqual(next, chosen);
    await page.keyboard.press("Enter");
    await host.told("connection:ack", (ack) => ack.config.maxGiftsPerSecond === Number(next));
    // A pause after the last arrow does as well.
    await page.keyboard.press("ArrowLeft");
    const last = /[\d.]+/.exec(await pace.locator(".rate-value").innerText())[0];
    await host.told("connection:ack", (ack) => ack.config.maxGiftsPerSecond === Number(last));

    // What somebody else sets is shown.
    await relay.ask("host", "PATCH", "/v1/streams/main/config", { maxGiftsPerSecond: 7 });
    await until("7 /s", async () => (await pace.locator(".rate-value").innerText()).startsWith("7 "));
});

test("the goal is set, kept apart from what else is told, and removed", async (t) => {
    const { relay, host, page } = await show(t);
    const told = { isLive: true, viewerCount: 321, startedAt: null, currentGoal: null };
    await relay.ask("ingest", "PUT", "/v1/streams/main/status", told);
    const form = part(page, "Goal");
    await until("live", () => form.getByLabel("The stream is live").isChecked());
    await form.getByLabel("What for").fill("Karaoke");
    await form.getByLabel("Target").fill("500");
    await form.getByLabel("Reached", { exact: true }).fill("20");
    await form.getByRole("button", { name: "Save" }).click();
    const status = await host.told("stream:status", (payload) => payload.currentGoal !== null);
    assert.equal(status.viewerCount, 321, "the viewers stay");
    assert.deepEqual(
        { ...status.currentGoal },
        { type: "gifts", target: 500, current: 20, description: "Karaoke" },
    );
    await form.getByText("The goal is set.").waitFor();
    // What is half typed is not written over.
    await form.getByLabel("What for").fill("Karaoke and");
    await relay.ask("ingest", "PUT", "/v1/streams/main/status", { ...status, viewerCount: 400 });
    await until("the status", async () => (await relay.ask("host", "GET", "/v1/streams/main/status")).viewerCount === 400);
    assert.equal(await form.getByLabel("What for").inputValue(), "Karaoke and");
    // Nor by what else is done meanwhile; and a press counts, whatever is told while it is on its way.
    const letGo = await heldBack(page, /GET .*status/);
    await form.getByLabel("The stream is live").click();
    await relay.ask("ingest", "PUT", "/v1/streams/main/status", { ...status, isLive: true, viewerCount: 400 });
    await until("it is told", () => form.getByLabel("The stream is live").isChecked());
    await letGo();
    await form.getByText("The stream is not live.").waitFor();
    await host.told("stream:status", (payload) => !payload.isLive && payload.viewerCount === 400);
    assert.equal(await form.getByLabel("What for").inputValue(), "Karaoke and");
    await form.getByRole("button", { name: "Remove" }).click();
    await form.getByText("The goal is gone.").waitFor();
    await host.told("stream:status", (payload) => payload.viewerCount === 400 && payload.currentGoal === null);
});

test("a goal that has come on at the stage is not put back by what else is changed", async (t) => {
    const { relay, host, page } = await show(t);
    const goal = (current) => ({ type: "gifts", target: 6, current, description: "Cake" });
    const told = { isLive: true, viewerCount: 3, startedAt: null, currentGoal: goal(0) };
    await relay.ask("ingest", "PUT", "/v1/streams/main/status", told);
    await host.told("stream:status", (payload) => payload.currentGoal !== null);
    host.say("grow 5");
    const form = part(page, "Goal");
    const reached = form.getByLabel("Reached", { exact: true });
    await until("what the stage has counted", async () => (await reached.inputValue()) === "5");
    const current = async () => (await relay.ask("host", "GET", "/v1/streams/main/status")).currentGoal.current;
    await form.getByLabel("The stream is live").click();
    await form.getByText("The stream is not live.").waitFor();
    assert.equal(await current(), 5);
    await form.getByLabel("What for").fill("Cakes");
    await form.getByRole("button", { name: "Save" }).click();
    await form.getByText("The goal is set.").waitFor();
    assert.equal(await current(), 5);
    // What somebody sets counts.
    await reached.fill("1");
    await form.getByRole("button", { name: "Save" }).click();
    await host.told("stream:status", (payload) => payload.currentGoal.current === 1);
});

test("what is saved while the stream goes live leaves it live", async (t) => {
    const { relay, page } = await show(t);
    const form = part(page, "Goal");
    // Both ask for the status as it is before either has told another.
    const letGo = await heldBack(page, /^GET .*\/status$/);
    await form.getByLabel("The stream is live").check();
    await form.getByRole("button", { name: "Save" }).click();
    await letGo();
    await form.getByText("The goal is set.").waitFor();
    const status = await until("a goal", async () => {
        const status = await relay.ask("host", "GET", "/v1/streams/main/status");
        return status?.currentGoal && status;
    });
    assert.equal(status.isLive, true);
    assert.ok(await form.getByLabel("The stream is live").isChecked());
});

test("the stream that was chosen opens again, though nobody is connected to it", async (t) => {
    const { relay, page } = await show(t);
    assert.deepEqual(
        (await relay.ask("host", "GET", "/v1/streams")).streams.map(({ id }) => id),
        ["main"],
    );
    const chosen = async () => {
        await page.locator(".link[data-state=open]").waitFor();
        return page.locator(".stream select").inputValue();
    };
    await page.evaluate(() => localStorage.setItem("hyperfocus-desk.stream", "evening"));
    // Another window has chosen that; this one keeps its own.
    await page.reload();
    assert.equal(await chosen(), "main");
    await page.evaluate(() => localStorage.setItem("hyperfocus-desk.stream", "evening"));
    await page.goto(new URL("/desk", page.url()).href);
    assert.equal(await chosen(), "evening");
});

test("a relay that goes away and comes back is found again, with what was missed", async (t) => {
    const relay = await Relay.start(t);
    const gone = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/;
    // One that is stopping may still say so.
    const stopping = /503 \(Service Unavailable\)/;
    const page = await desk(t, browser, relay, { forgives: [gone, stopping] });
    await relay.stop();
    await page.locator(".link").filter({ hasText: "connection lost" }).waitFor();
    await page.getByRole("button", { name: "Try now" }).waitFor();
    const port = new URL(relay.origin).port;
    const again = await Relay.start(t, { folder: relay.folder, port });
    await again.give({ giftType: "planet" });
    await page.locator(".link[data-state=open]").waitFor();
    await row(page, "Recent gifts", "planet").waitFor();
});

test("what strangers write is text", async (t) => {
    const { relay, page } = await show(t);
    const username = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
    await relay.give({ giftType: "<b>bold</b>", sender: { userId: "x", username } });
    await row(page, "Recent gifts", "<img src=x").filter({ hasText: "<b>bold</b>" }).waitFor();
    await row(page, "Queue", "<img src=x").waitFor();
    assert.equal(await page.locator("main img, main script, main b").count(), 0);
    assert.equal(await page.title(), "Hyperfocus desk");
    // A name that turns its direction turns nothing else.
    await relay.give({ giftType: "rose", sender: { userId: "y", username: "abc\u202e\u05d0\u05d1" } });
    const name = row(page, "Recent gifts", "\u05d0\u05d1").locator("bdi.sender");
    await name.waitFor();
    assert.equal(await name.evaluate((element) => getComputedStyle(element).unicodeBidi), "isolate");
});

test("the plots can be read as a table", async (t) => {
    const { relay, page } = await show(t);
    await relay.give({}, {});
    const figures = part(page, "Figures");
    await figures.getByRole("img", { name: /^Gifts per second\. in: now/ }).waitFor();
    await figures.locator(".u-over").first().waitFor();
    await figures.getByRole("button", { name: "As a table" }).click();
    const waiting = figures.getByRole("row", { name: /^Queue/ });
    await until("two waiting", async () => (await waiting.getByRole("cell").first().innerText()) === "2");
    assert.equal(await figures.getByRole("img").count(), 0);
});

test("rows stand while somebody is at them", async (t) => {
    const { relay, host, page } = await show(t);
    await relay.give({ giftType: "rose" }, { giftType: "heart" });
    await row(page, "Queue", "heart").waitFor();
    await row(page, "Queue", "heart").hover();
    host.say("play");
    await row(page, "Recent gifts", "rose").filter({ hasText: "shown" }).waitFor();
    await row(page, "Queue", "rose").filter({ hasText: "gone" }).waitFor();
    assert.match(await rows(page, "Queue").first().innerText(), /rose/, "it kept its place");
    await page.getByRole("heading", { name: "Hyperfocus desk" }).hover();
    await until("it left", async () => (await row(page, "Queue", "rose").count()) === 0);
});
