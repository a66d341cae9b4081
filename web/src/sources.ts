// Where gifts come from, besides HTTP.

import { el, keyedRows, setText } from "./dom";
import { empty, panel, type View } from "./view";
import type { Source } from "./wire";

interface Row {
    element: HTMLElement;
    draw: (source: Source) => void;
}

export function sourcesPanel(view: View): HTMLElement {
    const { desk, text } = view;
    const list = el("ul", { class: "cards", "aria-label": text.sources });
    const none = empty(text.sourcesEmpty, "[[relay.source]]");
    const rowsOf = keyedRows(
        list,
        (source: Source) => source.name,
        (source) => sourceRow(view, source),
    );
    desk.watch(["sources"], () => {
        const known = desk.sources ?? [];
        for (const [source, row] of rowsOf(known)) row.draw(source);
        // Gifts may always come over HTTP; the line is for what has to be set up.
        none.hidden = desk.sources === null || known.some((source) => source.kind !== "http");
        list.hidden = known.length === 0;
    });
    return panel("sources", text.sources, list, none);
}

function sourceRow({ text, format }: View, source: Source): Row {
    const state = el("span", { class: "outcome" });
    const last = el("span", { class: "quiet" });
    const counts = el("span", { class: "quiet" });
    const error = el("p", { class: "notice is-error" });
    const element = el(
        "li",
        { class: "card" },
        el(
            "div",
            { class: "card-head" },
            el("strong", {}, el("bdi", {}, source.name)),
            el("span", { class: "quiet" }, source.kind, " → ", el("bdi", {}, source.stream)),
            state,
        ),
        el("p", { class: "card-line" }, counts, last),
        error,
    );
    return {
        element,
        draw: (now) => {
            setText(state, text.sourceStates[now.state]);
            state.dataset["state"] = now.state;
            setText(last, now.lastEventAt ? text.lastEvent(format.time(now.lastEventAt)) : text.noEventYet);
            setText(counts, text.sourceCounts(format.count(now.gifts), format.count(now.ignored), now.gifts));
            setText(error, now.error ?? "");
        },
    };
}
