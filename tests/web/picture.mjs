// Draws docs/desk.png: the desk of a show that goes on for two minutes.
//
//     scripts/desk.sh --picture

import { test } from "node:test";

import { browser as launch, canRun, desk, ForeignHost, Relay, Renderer } from "./house.mjs";

/** Seconds that the show goes on, so that the plots have something to tell. */
const SHOW = 120;

const TYPES = ["rose", "rose", "rose", "heart", "confetti", "coins", "rocket", "galaxy", "crown", "lion"];
const NAMES = ["Ada", "Grace", "Zoë", "محمد علي", "Katherine", "李明", "Noor", "Maximiliane von Hohenstein", "Sam", "Ёлка"];

const GOAL = { type: "gifts", target: 500, current: 317, description: "Karaoke at 500 gifts" };

test("the picture", async (t) => {
    const relay = await Relay.start(t);
    const isReal = canRun();
    const host = isReal ? await Renderer.start(t, relay) : await ForeignHost.join(t, relay);
    const status = { isLive: true, viewerCount: 1234, startedAt: new Date().toISOString(), currentGoal: GOAL };
    await relay.ask("ingest", "PUT", "/v1/streams/main/status", status);
    await relay.ask("host", "PATCH", "/v1/streams/main/config", { maxGiftsPerSecond: 2, pingInterval: 1_000 });
    const browser = await launch();
    t.after(() => browser.close());
    const page = await desk(t, browser, relay, { viewport: { width: 1400, height: 900 }, colorScheme: "dark" });
    for (let second = 0; second < SHOW; second += 1) {
        // Waves, as after something that was worth a gift.
        const count = Math.round(2 + 2 * Math.sin(second / 9) + 2 * Math.random());
        const gifts = Array.from({ length: count }, (_, n) => {
            const at = (second * 7 + n * 3) % 10;
            const username = NAMES[(at * 3 + second) % 10];
            return { giftType: TYPES[at], quantity: 1 + ((second * n) % 5), sender: { userId: username, username } };
        });
        if (count > 0) await relay.give(...gifts);
        if (!isReal) for (let n = 0; n < 3; n += 1) host.say("play");
        await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    // The pace is judged anew, by all that came.
    await page.getByRole("slider").last().focus();
    await page.waitForTimeout(4_000);
    await page.evaluate(() => document.activeElement.blur());
    await page.screenshot({ path: "docs/desk.png", fullPage: true });
});
