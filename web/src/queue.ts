// The waiting gifts of the shown renderer, to be held, released and skipped.

import { button, el, setText, stranger } from "./dom";
import { attended, control, empty, Notice, panel, Switched, type View } from "./view";
import type { WaitingGift } from "./wire";

/** Gifts that have gone and keep their places while somebody is at the list; the oldest is let go. */
const MAX_GONE = 50;

interface Row {
    element: HTMLElement;
    draw: (gift: WaitingGift | null) => void;
}

export function queue(view: View): HTMLElement {
    const { desk, text, format } = view;
    const notice = new Notice();
    const list = el("ol", { class: "rows", tabindex: 0, "aria-label": text.queue });
    const none = empty(text.queueEmpty);
    const untold = empty(text.queueUntold);
    const waiting = el("p", { class: "quiet" });
    const rows = new Map<string, Row>();

    const isAttended = attended(list, () => draw());
    const draw = () => {
        // While somebody is at the list, what has left is dimmed in its place, and
        // what is new comes last.
        const stands = isAttended();
        const telemetry = desk.shown?.telemetry ?? null;
        const gifts = telemetry?.waiting.gifts ?? [];
        const now = new Map(gifts.map((gift) => [gift.giftId, gift]));
        const gone = [...rows.keys()].filter((id) => !now.has(id));
        const kept = stands ? MAX_GONE : 0;
        gone.forEach((id, index) => {
            const row = rows.get(id);
            if (gone.length - index <= kept) return row?.draw(null);
            row?.element.remove();
            rows.delete(id);
        });
        let before: Element | null = null;
        for (const gift of gifts) {
            let row = rows.get(gift.giftId);
            if (!row) {
                row = waitingRow(view, notice, gift);
                rows.set(gift.giftId, row);
                list.append(row.element);
            }
            row.draw(gift);
            if (!stands) {
                const place: Element | null = before ? before.nextElementSibling : list.firstElementChild;
                if (place !== row.element) list.insertBefore(row.element, place);
                before = row.element;
            }
        }
        none.hidden = telemetry === null || rows.size > 0;
        untold.hidden = telemetry !== null || rows.size > 0;
        list.hidden = rows.size === 0;
        const count = telemetry?.waiting.count ?? 0;
        setText(waiting, count > 0 ? text.queueCount(format.count(count), count) : "");
    };
    desk.watch(["renderers"], draw);
    return panel("queue", text.queue, list, none, untold, el("div", { class: "list-end" }, notice.element, waiting));
}

function waitingRow(view: View, notice: Notice, gift: WaitingGift): Row {
    const { text, format } = view;
    const { giftId } = gift;
    const held = new Switched();
    let told = gift.held;
    let isGone = false;
    const quantity = el("span", { class: "quantity" });
    const waited = el("span", { class: "waited" });
    const about = text.giftFrom(gift.giftType, gift.sender);
    const holds = button(
        text.hold,
        () => {
            if (isGone) return;
            const wanted = !held.isOn(told);
            const said = wanted ? text.held(about) : text.released(about);
            const sent = control(view, notice, { action: wanted ? "hold" : "release", giftId }, said);
            void held.ask(wanted, sent).then(drawHeld);
            drawHeld();
        },
        { class: "small" },
    );
    const skips = button(
        text.skip,
        () => {
            if (!isGone) void control(view, notice, { action: "skip", giftId }, text.skippedGift(about));
        },
        { class: "small", "aria-label": text.actOn(text.skip, about) },
    );
    const element = el(
        "li",
        { class: "row" },
        el("span", { class: "line" }, stranger(gift.giftType, "type"), quantity),
        el("span", { class: "line second" }, waited, stranger(gift.sender, "sender")),
        el("span", { class: "acts" }, holds, skips),
    );
    const drawHeld = () => {
        const isHeld = held.isOn(told);
        const label = isHeld ? text.release : text.hold;
        setText(holds.lastElementChild ?? holds, label);
        holds.setAttribute("aria-label", text.actOn(label, about));
        element.classList.toggle("is-held", isHeld);
    };
    drawHeld();
    return {
        element,
        draw: (latest) => {
            isGone = latest === null;
            element.classList.toggle("is-gone", isGone);
            for (const act of [holds, skips]) act.setAttribute("aria-disabled", String(isGone));
            if (!latest) return setText(waited, text.gone);
            setText(quantity, latest.quantity > 1 ? `× ${format.count(latest.quantity)}` : "");
            setText(waited, format.seconds(latest.waited));
            told = latest.held;
            drawHeld();
        },
    };
}
