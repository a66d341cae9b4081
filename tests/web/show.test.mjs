// The desk and the program's own renderer: what the desk asks for happens on
// a real stage.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browser as launch, canRun, cannot, desk, part, Relay, Renderer, until } from "./house.mjs";

let browser;
before(async () => {
    browser = await launch();
});
after(() => browser?.close());

test("the stage does what the desk asks for, and the desk shows what the stage does", async (t) => {
    if (!canRun()) return cannot(t, "this program has no `run`; build it with its default features");
    const relay = await Relay.start(t);
    const renderer = await Renderer.start(t, relay);
    const page = await desk(t, browser, relay);
    const controls = part(page, "Controls");
    const recent = part(page, "Recent gifts").getByRole("listitem");
    await part(page, "Renderers").getByText("Host", { exact: true }).waitFor();

    await relay.give({ giftType: "rose", sender: { username: "Grace" } });
    await recent.filter({ hasText: "rose" }).filter({ hasText: "shown" }).waitFor();

    await controls.getByRole("button", { name: "Pause" }).click();
    await controls.getByText("Pause: on.").waitFor();
    await relay.give({ giftType: "heart" }, { giftType: "lion" });
    const queue = part(page, "Queue").getByRole("listitem");
    await queue.filter({ hasText: "lion" }).waitFor();
    await queue.filter({ hasText: "lion" }).getByRole("button", { name: "Skip" }).click();
    await recent.filter({ hasText: "lion" }).filter({ hasText: "not shown" }).waitFor();
    await queue.filter({ hasText: "heart" }).getByRole("button", { name: "Hold" }).click();
    await queue.filter({ hasText: "heart" }).getByRole("button", { name: "Release" }).waitFor();
    await controls.getByRole("button", { name: "Pause" }).click();
    await queue.filter({ hasText: "heart" }).getByRole("button", { name: "Release" }).click();
    await recent.filter({ hasText: "heart" }).filter({ hasText: "shown" }).waitFor();

    await controls.getByLabel("Volume").fill("20");
    const volume = await until("the volume on stage", async () => {
        const { renderers } = await relay.ask("host", "GET", "/v1/streams/main/renderers");
        const told = renderers[0]?.telemetry?.volume;
        return told !== undefined && told < 0.25 ? [told] : null;
    });
    assert.ok(Math.abs(volume[0] - 0.2) < 0.01, String(volume));

    const tests = part(page, "Test gifts");
    await tests.getByLabel("Gift", { exact: true }).fill("confetti");
    await tests.getByRole("button", { name: "Play" }).click();
    await part(page, "Renderers").getByText(/^\d+ \/ 1$/).waitFor();
    const { received, played, dismissed, acked, waiting } = (await renderer.summary()).gifts;
    // Rose and heart, and the lion that was skipped; the test gift counts for nothing.
    assert.deepEqual(
        { received, played, dismissed, acked, waiting },
        { received: 3, played: 2, dismissed: 1, acked: 3, waiting: 0 },
    );
});
