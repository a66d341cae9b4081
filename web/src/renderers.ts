// Who shows the gifts, and how each of them fares.

import { button, el, keyedRows, setText } from "./dom";
import { empty, panel, type View } from "./view";
import { isSameRenderer, type RendererEntry, type RendererName } from "./wire";

export function renderers(view: View): HTMLElement {
    const { desk, text } = view;
    const list = el("ul", { class: "cards", "aria-label": text.renderers });
    const none = empty(text.renderersEmpty, runCommand(desk.api.id));
    const hint = el("p", { class: "hint" }, text.renderersHint);
    const rowsOf = keyedRows(
        list,
        (renderer: RendererEntry) => `${renderer.clientType} ${renderer.clientId}`,
        (renderer) => rendererRow(view, renderer),
    );
    desk.watch(["renderers"], () => {
        const known = desk.renderers ?? [];
        for (const [renderer, row] of rowsOf(known)) row.draw(renderer, known.length > 1);
        const isEmpty = desk.renderers !== null && known.length === 0;
        none.hidden = hint.hidden = !isEmpty;
        list.hidden = known.length === 0;
    });
    return panel("renderers", text.renderers, list, none, hint);
}

function runCommand(stream: string): string {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const name = /^[\w.-]+$/.test(stream) ? stream : `'${stream.replaceAll("'", `'\\''`)}'`;
    return `hyperfocus run --url ${scheme}://${location.host}/ws --stream ${name} --token-file host.token`;
}

interface Row {
    element: HTMLElement;
    draw: (renderer: RendererEntry, isOneOfMany: boolean) => void;
}

function rendererRow(view: View, name: RendererName): Row {
    const { desk, text, format } = view;
    const { clientId, clientType } = name;
    const kind = clientType === "host" ? text.host : text.viewer;
    const since = el("span", { class: "quiet" });
    const facts = el("dl", { class: "facts" });
    const fact = (label: string) => {
        const value = el("dd", {}, "–");
        facts.append(el("div", {}, el("dt", {}, label), value));
        return value;
    };
    const latency = fact(text.latency);
    const frame = fact(text.frameP95);
    const fps = fact(text.fps);
    const memory = fact(text.memory);
    const lanes = fact(text.lanes);
    const outcomes = fact(text.outcomes);
    const choose = button(text.showThis, () => desk.choose({ clientId, clientType }), {
        class: "small toggle",
        "aria-label": text.actOn(text.showThis, `${kind} ${clientId.slice(0, 8)}`),
        "aria-pressed": "false",
    });
    const element = el(
        "li",
        { class: "card" },
        el(
            "div",
            { class: "card-head" },
            el("strong", {}, kind),
            el("bdi", { class: "quiet id", title: clientId }, clientId.slice(0, 8)),
            since,
            choose,
        ),
        facts,
    );
    return {
        element,
        draw: (renderer, isOneOfMany) => {
            const { pong, telemetry } = renderer;
            setText(since, renderer.controls ? text.since(format.time(renderer.since)) : text.noControls);
            setText(latency, format.milliseconds(pong?.latency));
            setText(memory, format.megabytes(pong?.memory));
            setText(frame, format.milliseconds(telemetry?.frameTime.p95));
            setText(fps, format.count(telemetry?.fps));
            const on = telemetry?.lanes;
            setText(lanes, on ? [on.headline, on.feature, on.ambient].map((n) => format.count(n)).join(" / ") : "–");
            const ends = telemetry?.outcomes;
            const shown = ends ? ends.played + ends.joinedStreak + ends.joinedBundle : null;
            const lost = ends ? ends.refused + ends.failed + ends.dismissed : null;
            setText(outcomes, ends ? `${format.count(shown)} / ${format.count(lost)}` : "–");
            choose.hidden = !isOneOfMany;
            choose.setAttribute("aria-pressed", String(desk.shown !== null && isSameRenderer(desk.shown, name)));
        },
    };
}
