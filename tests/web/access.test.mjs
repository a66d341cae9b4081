// The desk for everybody: small docks, keyboards, languages, contrast.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { axeSource, browser as launch, desk, ForeignHost, part, Relay, until } from "./house.mjs";

let browser;
before(async () => {
    browser = await launch();
});
after(() => browser?.close());

const LONG = "Maximiliane von und zu Hohenstein-Wolkenburg-Ohnesorge";

/** A desk with something in each of its parts. */
async function full(t, options) {
    const relay = await Relay.start(t);
    const host = await ForeignHost.join(t, relay);
    const goal = { type: "gifts", target: 50, current: 20, description: "Karaoke" };
    const status = { isLive: true, viewerCount: 12, startedAt: null, currentGoal: goal };
    await relay.ask("ingest", "PUT", "/v1/streams/main/status", status);
    await relay.give(
        ...["rose", "heart", "lion", "crown"].map((giftType) => ({ giftType, sender: { username: LONG } })),
    );
    const page = await desk(t, browser, relay, options);
    await page.locator(".panel-queue .row").nth(3).waitFor();
    host.say("play");
    await page.locator(".outcome[data-state=rendered]").waitFor();
    host.say("fail it is broken");
    await page.locator(".outcome[data-state=failed]").waitFor();
    return { relay, host, page };
}

test("a narrow dock scrolls down and never sideways", async (t) => {
    const { page } = await full(t, { viewport: { width: 300, height: 700 } });
    for (const width of [300, 320, 420, 900, 1400]) {
        await page.setViewportSize({ width, height: 700 });
        const wide = await page.evaluate(() => {
            const most = document.documentElement.clientWidth;
            const over = [...document.querySelectorAll("body *")].filter((element) => {
                const box = element.getBoundingClientRect();
                return box.width > 0 && (box.right > most + 0.5 || box.left < -0.5);
            });
            return [document.documentElement.scrollWidth - most, ...over.map((element) => element.className)];
        });
        assert.deepEqual(wide, [0], `at ${width} px`);
    }
});

test("in a narrow dock no row runs under what can be done to it", async (t) => {
    const { page, relay } = await full(t, { viewport: { width: 300, height: 700 }, locale: "de-DE" });
    await relay.give({ giftType: "universe", quantity: 1_000_000, sender: { username: LONG } });
    await page.getByText("× 1.000.000").first().waitFor();
    const hidden = await page.evaluate(() =>
        [...document.querySelectorAll(".row .line > *")].filter((part) => {
            const [own, acts, row] = [part, part.closest(".row").querySelector(".acts"), part.closest(".row")].map(
                (element) => element.getBoundingClientRect(),
            );
            if (own.width === 0) return false;
            const isUnder = own.right > acts.left + 0.5 && own.bottom > acts.top + 0.5 && acts.width > 0;
            return isUnder || own.right > row.right + 0.5;
        }).map((part) => part.textContent),
    );
    assert.deepEqual(hidden, []);
});

test("what is on can be told from what is off in the system's own colours", async (t) => {
    const { page, host } = await full(t, { forcedColors: "active" });
    const pause = part(page, "Controls").getByRole("button", { name: "Pause" });
    await pause.click();
    await host.told("x-control", (payload) => payload.action === "pause");
    const look = (name) =>
        part(page, "Controls").getByRole("button", { name }).evaluate((button) => {
            const icon = getComputedStyle(button.querySelector(".icon"));
            const style = getComputedStyle(button);
            return { ground: style.backgroundColor, icon: icon.backgroundColor };
        });
    await until("that it is on", async () => (await pause.getAttribute("aria-pressed")) === "true");
    const [on, off] = [await look("Pause"), await look("Mute")];
    assert.notEqual(on.ground, off.ground);
    for (const { ground, icon } of [on, off]) assert.notEqual(icon, ground);
});

/** What has the focus, once the page has been drawn with it. */
function focused(page) {
    return page.evaluate(async () => {
        for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        const style = getComputedStyle(element);
        const box = element.getBoundingClientRect();
        // What the sticky header covers is not seen.
        const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return {
            name: element.getAttribute("aria-label") ?? element.textContent ?? "",
            id: (element.dataset.seen ??= String(Math.random())),
            outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
            uncovered: top !== null && (element.contains(top) || top.contains(element)),
        };
    });
}

test("everything is at hand by keyboard, visibly, and none is a trap", async (t) => {
    const { host, page } = await full(t);
    const count = await page.locator("button:visible, select:visible, input:visible").count();
    const seen = new Set();
    let paused = false;
    for (let step = 0; step < count + 5; step += 1) {
        await page.keyboard.press("Tab");
        const focus = await focused(page);
        if (focus === null) break;
        assert.ok(focus.outline, `${focus.name} shows its focus`);
        assert.ok(focus.uncovered, `${focus.name} is not covered`);
        seen.add(focus.id);
        if (focus.name === "Pause" && !paused) {
            paused = true;
            await page.keyboard.press("Space");
            await host.control("pause");
        }
    }
    assert.ok(paused);
    assert.ok(seen.size >= count, `${seen.size} of ${count} were reached`);
});

test("the way back by keyboard is as visible", async (t) => {
    const { page } = await full(t, { viewport: { width: 300, height: 700 } });
    const seen = new Set();
    for (;;) {
        await page.keyboard.press("Shift+Tab");
        const focus = await focused(page);
        if (focus === null || seen.has(focus.id)) break;
        assert.ok(focus.uncovered, `${focus.name} is not covered`);
        seen.add(focus.id);
    }
    assert.ok(seen.size > 20, `${seen.size} were reached`);
});

test("what the keyboard is at stays in view when the page grows", async (t) => {
    const { page } = await full(t);
    // Pressed without taking the focus, in the place of what grows by itself.
    const fold = () => part(page, "Queue").locator(".panel-toggle").evaluate((toggle) => toggle.click());
    const pace = part(page, "Pace").getByRole("button").last();
    await fold();
    await pace.focus();
    const { y, height } = await pace.boundingBox();
    await page.setViewportSize({ width: 1400, height: Math.ceil(y + height) });
    await fold();
    assert.ok((await focused(page)).uncovered);

    await fold();
    await page.mouse.wheel(0, -1_000);
    await until("the top", () => page.evaluate(() => scrollY === 0));
    await fold();
    assert.ok(!(await focused(page)).uncovered, "who has turned from it is left in peace");
});

test("every target has 24 pixels each way", async (t) => {
    const { page } = await full(t, { viewport: { width: 300, height: 700 } });
    const small = await page.evaluate(() =>
        [...document.querySelectorAll("button, select, input")]
            // A check box is as large as the label around it.
            .map((element) => element.closest("label") ?? element)
            .map((element) => [element.className || element.textContent, element.getBoundingClientRect()])
            .filter(([, box]) => box.width > 0 && (box.width < 24 || box.height < 24))
            .map(([name, box]) => `${name}: ${box.width} x ${box.height}`),
    );
    assert.deepEqual(small, []);
});

for (const colorScheme of ["dark", "light"]) {
    for (const locale of ["en-GB", "de-DE"]) {
        test(`axe finds nothing wrong in ${colorScheme}, in ${locale}`, async (t) => {
            const { page } = await full(t, { colorScheme, locale });
            const axe = await axeSource();
            const look = async () => {
                await page.evaluate(axe);
                const { violations } = await page.evaluate(() =>
                    axe.run(document, {
                        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
                    }),
                );
                return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
            };
            assert.deepEqual(await look(), []);
            await page.locator(".panel-controls .toggle").first().click();
            await page.locator(".panel-controls .confirm button").click();
            await page.locator(".panel-plots .panel-end button").click();
            assert.deepEqual(await look(), []);
        });
    }
}

test("German is chosen by the browser, and by hand", async (t) => {
    const { page } = await full(t, { locale: "de-DE" });
    assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
    await part(page, "Warteschlange").waitFor();
    await part(page, "Letzte Geschenke").locator(".outcome").filter({ hasText: /^gezeigt$/ }).waitFor();
    await until("a decimal comma", async () => /\d,\d/.test(await part(page, "Renderer").innerText()));
    await page.getByLabel("Sprache").selectOption("en");
    await part(page, "Queue").waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
    assert.equal(await page.evaluate(() => document.activeElement.className), "language");
    await page.reload();
    await part(page, "Queue").waitFor();
});

test("who asks for stillness gets it", async (t) => {
    const { page } = await full(t, { reducedMotion: "reduce" });
    const moving = await page.evaluate(() =>
        [...document.querySelectorAll("body *")]
            .map((element) => getComputedStyle(element))
            .filter((style) => style.animationName !== "none" || style.transitionDuration !== "0s").length,
    );
    assert.equal(moving, 0);
});

test("figures that change move nothing", async (t) => {
    const { relay, page } = await full(t);
    const places = () =>
        page.evaluate(() =>
            [...document.querySelectorAll("section, .glance > div, .buttons > *, figure")].map((element) => {
                const { x, y, width, height } = element.getBoundingClientRect();
                return [x, y, width, height].map(Math.round).join(" ");
            }),
        );
    await part(page, "Pace").getByText(/gifts? of the last/).waitFor();
    const before = await places();
    await relay.give(...Array.from({ length: 200 }, () => ({ giftType: "rose", quantity: 1_000 })));
    await part(page, "Queue").getByText(/20\d gifts wait/).waitFor();
    assert.deepEqual(await places(), before);
});
