// The stream's goal, and whether it is live: what the board on the stage shows.

import { button, el, field, freshId, hide, on } from "./dom";
import { attempt, Notice, panel, type View } from "./view";
import type { Goal, StreamStatus } from "./wire";

/** The types of a goal that gifts move. The protocol takes any other too: whoever tells it moves it. */
const KINDS = ["gifts", "revenue"] as const;

/** What the relay keeps of a description. */
const MAX_DESCRIPTION = 120;

export function goal(view: View): HTMLElement {
    const { desk, text } = view;
    const notice = new Notice();
    const live = el("input", { type: "checkbox" });
    const description = el("input", { type: "text", maxlength: MAX_DESCRIPTION, autocomplete: "off" });
    const kinds = el("datalist", { id: freshId("kinds") }, ...KINDS.map((value) => el("option", { value })));
    const kind = el("input", {
        type: "text",
        list: kinds.id,
        required: true,
        maxlength: 64,
        value: KINDS[0],
        autocomplete: "off",
    });
    const target = amount(1);
    const current = amount(0);
    const progress = el("progress", { max: 1, value: 0, "aria-label": text.goalProgress });
    const save = el("button", { type: "submit", class: "primary" }, text.save);
    const remove = button(text.removeGoal, () => void put(() => ({ currentGoal: null }), text.goalRemoved));
    // Counts what is typed: what is being edited is not written over by what comes in.
    let edits = 0;
    // How far it has come grows by itself: that is told only where somebody set it.
    let setsCurrent = false;

    const put = (change: (told: StreamStatus) => Partial<StreamStatus>, said: string) =>
        attempt(view, notice, async () => {
            desk.changed({ status: await desk.api.changeStatus(change) });
            return said;
        });
    const edited = (told: Goal | null): Goal => {
        const type = kind.value.trim();
        const grown = !setsCurrent && told?.type === type ? told.current : null;
        return {
            type,
            target: Number(target.value),
            current: grown ?? Number(current.value),
            description: description.value.trim(),
        };
    };
    const form = on(
        el(
            "form",
            { class: "form" },
            progress,
            field(text.goalDescription, description),
            el("div", { class: "pair" }, field(text.goalCurrent, current), field(text.goalTarget, target)),
            field(text.goalType, kind, kinds),
            el("div", { class: "form-end" }, save, remove),
        ),
        {
            input: (event) => {
                edits += 1;
                setsCurrent ||= event.target === current;
            },
            submit: (event) => {
                event.preventDefault();
                const saved = edits;
                const change = (told: StreamStatus) => ({ currentGoal: edited(told.currentGoal) });
                void put(change, text.goalSaved).then((went) => {
                    if (!went || edits !== saved) return;
                    edits = 0;
                    setsCurrent = false;
                });
            },
        },
    );
    on(live, {
        change: () => {
            const isLive = live.checked;
            void put(() => ({ isLive }), isLive ? text.nowLive : text.nowOffline).then(draw);
        },
    });
    const draw = () => {
        live.checked = desk.status?.isLive ?? false;
        const told = desk.status?.currentGoal ?? null;
        hide(remove, told === null, save);
        progress.hidden = told === null;
        if (told) {
            progress.max = Math.max(told.target, 1);
            progress.value = told.current;
        }
        if (edits > 0 || !told) return;
        kind.value = told.type;
        description.value = told.description;
        target.value = String(told.target);
        current.value = String(told.current);
    };
    desk.watch(["status"], draw);
    const liveLine = el("label", { class: "check" }, live, el("span", {}, text.streamIsLive));
    return panel("goal", text.goal, liveLine, form, notice.element);
}

function amount(from: number): HTMLInputElement {
    return el("input", {
        type: "number",
        min: from,
        max: 1e9,
        step: "any",
        value: from === 0 ? 0 : 100,
        required: true,
        inputmode: "decimal",
    });
}
