// What the desk says of times, rates and outcomes, in each language, and what it asks
// of the relay: its own modules, without a page around them.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const required = createRequire(new URL("../../web/package.json", import.meta.url));
const { build } = required("esbuild");

/** A module of the desk, with what it imports. */
async function load(name) {
    const { outputFiles } = await build({
        entryPoints: [fileURLToPath(new URL(`../../web/src/${name}.ts`, import.meta.url))],
        bundle: true,
        format: "esm",
        write: false,
        logLevel: "warning",
    });
    return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

const { Format } = await load("format");
const { languages } = await load("text/index");

test("a time of another day has its date, in both languages", () => {
    const noon = (days) => {
        const day = new Date();
        day.setHours(12, 34, 56);
        day.setDate(day.getDate() - days);
        return day;
    };
    for (const [locale, time] of [
        ["en-US", "12:34:56"],
        ["de-DE", "12:34:56"],
    ]) {
        const format = new Format(locale);
        assert.ok(format.time(noon(0).toISOString()).startsWith(time));
        const earlier = format.time(noon(4).toISOString());
        const date = new Intl.DateTimeFormat(locale, { dateStyle: "short" }).format(noon(4));
        assert.ok(earlier.startsWith(date) && earlier.includes("12:34"), earlier);
        assert.equal(format.time("soon"), "–");
    }
});

test("German says of a pace what the relay says: that it suffices, or that none does", () => {
    const { texts } = languages.de;
    const facts = {
        rate: "5 /s",
        answered: "30 %",
        wait: "40 s",
        refused: "12 %",
        slower: { rate: "3 /s", answered: "20 %" },
        isEnough: false,
        isFollowed: true,
    };
    const poor = texts.reason("", facts);
    for (const part of ["30 %", "40 s", "12 % werden abgelehnt", "bei 3 /s wären es 20 %", "kein schnelleres"]) {
        assert.ok(poor.includes(part), poor);
    }
    const good = texts.reason("", { ...facts, refused: null, slower: null, isEnough: true });
    assert.ok(!good.includes("abgelehnt") && !good.includes("schneller"), good);
    assert.ok(good.includes("langsameres Tempo wurde nicht geprüft"), good);
    const last = texts.reason("", { ...facts, isFollowed: false });
    assert.ok(last.includes("auch schnellere wären zu prüfen"), last);
});

test("every fixed reason has words in every language", () => {
    const known = Object.keys(languages.en.texts.reasons);
    assert.ok(known.includes("OVERLOADED") && known.includes("dismissed by the host"));
    for (const { texts } of Object.values(languages)) assert.deepEqual(Object.keys(texts.reasons), known);
});

test("a stream that begins has begun now, and not when the last one did", async () => {
    const { StreamApi } = await load("api");
    let kept = { isLive: false, viewerCount: 0, startedAt: "2026-01-01T00:00:00.000Z", currentGoal: null };
    const fetched = globalThis.fetch;
    // As at the relay, what is left out stays.
    globalThis.fetch = async (_path, { method, body }) => {
        if (method === "PUT") kept = { ...kept, ...JSON.parse(body) };
        return method === "PUT" ? new Response(null, { status: 204 }) : Response.json(kept);
    };
    try {
        const api = new StreamApi("main");
        await api.changeStatus(() => ({ isLive: true }));
        const began = kept.startedAt;
        assert.ok(Date.parse(began) > Date.parse("2026-01-02"), began);
        await api.changeStatus(() => ({ viewerCount: 9 }));
        await api.changeStatus(() => ({ isLive: true }));
        assert.equal(kept.startedAt, began, "it goes on");
        await api.changeStatus(() => ({ isLive: false }));
        assert.equal(kept.startedAt, began, "it says of one that is over when it began");
        kept = { ...kept, isLive: true, startedAt: null };
        await api.changeStatus(() => ({ viewerCount: 1 }));
        assert.notEqual(kept.startedAt, null, "somebody else has not said when");
    } finally {
        globalThis.fetch = fetched;
    }
});

test("a goal is told only where it is set or removed", async () => {
    const { StreamApi } = await load("api");
    const goal = { type: "gifts", target: 6, current: 5, description: "Cake" };
    const kept = { isLive: false, viewerCount: 3, startedAt: null, currentGoal: goal };
    const told = [];
    const fetched = globalThis.fetch;
    globalThis.fetch = async (_path, { method, body }) => {
        if (method === "PUT") told.push(JSON.parse(body));
        return method === "PUT" ? new Response(null, { status: 204 }) : Response.json(kept);
    };
    try {
        const api = new StreamApi("main");
        const live = await api.changeStatus(() => ({ isLive: true }));
        assert.deepEqual(live.currentGoal, goal, "the page still shows it");
        await api.changeStatus(() => ({ currentGoal: null }));
    } finally {
        globalThis.fetch = fetched;
    }
    const { startedAt, ...live } = told[0];
    assert.ok(startedAt);
    assert.deepEqual(live, { isLive: true, viewerCount: 3 });
    assert.deepEqual(told[1], { isLive: false, viewerCount: 3, currentGoal: null });
});
