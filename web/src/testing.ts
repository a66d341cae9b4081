// Test gifts: they play like any other and count nowhere.

import { el, field, freshId, on } from "./dom";
import { control, Notice, panel, type View } from "./view";
import type { Control } from "./wire";

/** The catalogue's gifts, put here by the build. */
declare const GIFT_TYPES: readonly string[];

/** A streak of more is no test any more. */
const LONGEST_STREAK = 50;

export function testing(view: View): HTMLElement {
    const { text } = view;
    const notice = new Notice();
    const types = el("datalist", { id: freshId("types") }, ...GIFT_TYPES.map((type) => el("option", { value: type })));
    const type = el("input", {
        type: "text",
        list: types.id,
        value: GIFT_TYPES[0],
        required: true,
        maxlength: 64,
        autocomplete: "off",
        spellcheck: "false",
    });
    const quantity = count(1, 10_000);
    const streak = count(1, LONGEST_STREAK);
    const isStreak = () => Number(streak.value) > 1;
    // A streak's messages are of one gift each.
    on(streak, {
        input: () => {
            quantity.disabled = isStreak();
        },
    });
    const play = el("button", { type: "submit", class: "primary" }, text.play);
    const form = on(
        el(
            "form",
            { class: "form" },
            field(text.giftType, type, types),
            el(
                "div",
                { class: "pair" },
                field(text.quantity, quantity),
                field(text.streak, streak),
            ),
            el("div", { class: "form-end" }, play),
        ),
        {
            submit: (event) => {
                event.preventDefault();
                const giftType = type.value.trim();
                const what: Control = isStreak()
                    ? { action: "test", giftType, streak: Number(streak.value) }
                    : { action: "test", giftType, quantity: Number(quantity.value) };
                void control(view, notice, what, text.testSent(giftType));
            },
        },
    );
    return panel("test", text.testGifts, form, notice.element);
}

function count(from: number, to: number): HTMLInputElement {
    return el("input", { type: "number", min: from, max: to, step: 1, value: from, required: true, inputmode: "numeric" });
}
