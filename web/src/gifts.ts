// The latest gifts and what became of each.

import { RECENT } from "./desk";
import { button, el, field, hide, on, setText, stranger } from "./dom";
import type { Texts } from "./text";
import { attempt, attended, control, empty, Notice, panel, type View } from "./view";
import type { GiftState, ListedGift } from "./wire";

const STATES: readonly GiftState[] = ["unacked", "rendered", "failed", "parked"];

/** A filtered list is asked for at most so often (milliseconds). */
const FETCH_EVERY = 1_000;

interface Row {
    element: HTMLElement;
    /** `null`: what it was listed for is over. */
    draw: (gift: ListedGift | null) => void;
}

export function gifts(view: View): HTMLElement {
    const { desk, text } = view;
    const notice = new Notice();
    const list = el("ol", { class: "rows", tabindex: 0, "aria-label": text.recentGifts });
    const filter = el(
        "select",
        { class: "filter" },
        el("option", { value: "" }, text.allGifts),
        ...STATES.map((state) => el("option", { value: state }, text.states[state])),
    );
    const none = empty(text.giftsEmpty, sendCommand(desk.api.id));
    const noneSuch = empty(text.giftsNoneSuch);
    const rows = new Map<string, Row>();
    let filtered: ListedGift[] = [];
    let timer = 0;

    const wanted = () => (filter.value || null) as GiftState | null;
    const isAttended = attended(list, () => show(shown()));
    const shown = () => (wanted() === null ? (desk.gifts ?? []) : filtered);
    const show = (gifts: readonly ListedGift[]) => {
        // Where somebody looks at a row it stands, and only its outcome changes.
        if (isAttended() && rows.size > 0) {
            for (const gift of gifts) rows.get(gift.giftId)?.draw(gift);
            const listed = new Set(gifts.map((gift) => gift.giftId));
            for (const [id, row] of rows) if (wanted() !== null && !listed.has(id)) row.draw(null);
            return;
        }
        const kept = new Set(gifts.map((gift) => gift.giftId));
        for (const [id, row] of rows) {
            if (kept.has(id)) continue;
            row.element.remove();
            rows.delete(id);
        }
        let place = list.firstElementChild;
        for (const gift of gifts) {
            let row = rows.get(gift.giftId);
            if (!row) {
                row = giftRow(view, notice, list, gift);
                rows.set(gift.giftId, row);
            }
            row.draw(gift);
            if (place === row.element) place = place.nextElementSibling;
            else list.insertBefore(row.element, place);
        }
        list.hidden = gifts.length === 0;
        none.hidden = gifts.length > 0 || wanted() !== null || desk.gifts === null;
        noneSuch.hidden = gifts.length > 0 || wanted() === null;
    };
    const fetch = async () => {
        timer = 0;
        const state = wanted();
        if (state === null) return;
        await attempt(view, notice, async () => {
            const answer = await desk.api.gifts(RECENT, state);
            if (wanted() !== state) return null;
            filtered = answer;
            show(filtered);
            return null;
        });
    };
    on(filter, {
        change: () => {
            filtered = [];
            // Another list, whoever is at the one that was here.
            for (const row of rows.values()) row.element.remove();
            rows.clear();
            show(shown());
            void fetch();
        },
    });
    desk.watch(["gifts", "ended"], () => {
        if (wanted() === null) show(shown());
        else timer ||= window.setTimeout(() => void fetch(), FETCH_EVERY);
    });
    return panel("gifts", text.recentGifts, field(text.show, filter), list, none, noneSuch, notice.element);
}

function sendCommand(stream: string): string {
    return `POST ${location.origin}/v1/streams/${encodeURIComponent(stream)}/gifts`;
}

/** How the relay's reason begins where a parked gift goes on as another. */
const SENT_AGAIN = "sent again as ";

/** Why a gift was not shown, in words where it is one of the fixed reasons. */
function whyNot(text: Texts, error: string | null): string {
    if (error === null) return "";
    if (error.startsWith(SENT_AGAIN)) return text.sentAgain;
    return Object.hasOwn(text.reasons, error) ? (text.reasons[error] ?? error) : error;
}

function giftRow(view: View, notice: Notice, list: HTMLElement, listed: ListedGift): Row {
    const { text, format } = view;
    const { gift, giftId } = listed;
    const { username, userId } = gift.sender;
    const about = text.giftFrom(gift.giftType, username || userId);
    const outcome = el("span", { class: "outcome" });
    const reason = el("span", { class: "reason" });
    const act = (label: string, what: () => void) =>
        button(label, what, { class: "small", "aria-label": text.actOn(label, about) });
    const replay = act(
        text.replay,
        () => void control(view, notice, { action: "replay", giftId }, text.replayedGift(about)),
    );
    const decide = (label: string, ask: () => Promise<unknown>, said: string) =>
        act(label, () => void attempt(view, notice, () => ask().then(() => said)));
    const { api } = view.desk;
    const parked = el(
        "span",
        { class: "acts" },
        decide(text.resend, () => api.resend(giftId), text.resentGift(about)),
        decide(text.dismiss, () => api.dismiss(giftId), text.dismissedGift(about)),
    );
    const acts = el("span", { class: "acts" }, replay, parked);
    const quantity = gift.quantity > 1 ? `× ${format.count(gift.quantity)}` : "";
    const element = el(
        "li",
        { class: "row" },
        el(
            "span",
            { class: "line" },
            stranger(gift.giftType, "type"),
            el("span", { class: "quantity" }, quantity),
            stranger(username || userId, "sender"),
        ),
        el(
            "span",
            { class: "line second" },
            el("time", { datetime: listed.acceptedAt }, format.time(listed.acceptedAt)),
            outcome,
            reason,
        ),
        acts,
    );
    return {
        element,
        draw: (latest) => {
            element.classList.toggle("is-gone", latest === null);
            if (!latest) {
                setText(outcome, text.gone);
                setText(reason, "");
                hide(acts, true, list);
                return;
            }
            acts.hidden = false;
            setText(outcome, text.states[latest.state]);
            outcome.dataset["state"] = latest.state;
            setText(reason, whyNot(text, latest.error));
            // Its place stays, so that a row does not move once its gift was shown.
            replay.classList.toggle("is-absent", latest.state !== "rendered");
            hide(replay, latest.state === "parked", list);
            hide(parked, latest.state !== "parked", list);
        },
    };
}
