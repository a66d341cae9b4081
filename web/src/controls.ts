// Pause, skip and the rest: what the renderers do at once.

import { button, el, field, on, setText } from "./dom";
import { control, Notice, panel, Switched, TRUST, type View } from "./view";
import type { Control, Telemetry } from "./wire";

/** Volume goes out at most so often while it is dragged (milliseconds). */
const VOLUME_EVERY = 120;

export function controls(view: View): HTMLElement {
    const { text } = view;
    const notice = new Notice();
    const send = (what: Control, said: string) => control(view, notice, what, said);
    const idle = el("p", { class: "hint" }, text.controlsIdle);
    view.desk.watch(["renderers"], () => {
        const known = view.desk.renderers;
        idle.hidden = known === null || known.some((renderer) => renderer.controls);
        if (idle.hidden) notice.settleIf(text.controlsIdle);
    });
    return panel(
        "controls",
        text.controls,
        el(
            "div",
            { class: "buttons" },
            toggle(view, notice, text.pause, "pause", (told) => told.paused, (on) => ({
                action: on ? "pause" : "resume",
            })),
            button(text.skip, () => void send({ action: "skip" }, text.skipped), { icon: "skip" }),
            button(text.replayLast, () => void send({ action: "replay" }, text.replayed), { icon: "replay" }),
            toggle(view, notice, text.mute, "mute", (told) => told.muted, (on) => ({ action: "mute", on })),
            toggle(view, notice, text.doNotDisturb, "dnd", (told) => told.doNotDisturb, (on) => ({
                action: "do-not-disturb",
                on,
            })),
            clearing(view, notice),
        ),
        volume(view, notice),
        idle,
        notice.element,
    );
}

/** A switch that follows the renderer, and until it answers what was asked. */
function toggle(
    view: View,
    notice: Notice,
    label: string,
    icon: string,
    read: (telemetry: Telemetry) => boolean,
    ask: (on: boolean) => Control,
): HTMLElement {
    const state = new Switched();
    const isOn = () => {
        const telemetry = view.desk.shown?.telemetry;
        return state.isOn(telemetry ? read(telemetry) : null);
    };
    const made = button(
        label,
        () => {
            const wanted = !isOn();
            const sent = control(view, notice, ask(wanted), view.text.switched(label, wanted));
            void state.ask(wanted, sent).then(draw);
            draw();
        },
        { icon, class: "toggle", "aria-pressed": "false" },
    );
    const draw = () => made.setAttribute("aria-pressed", String(isOn()));
    view.desk.watch(["renderers"], draw);
    return made;
}

/** Clearing cannot be undone: it asks once, in its own place. */
function clearing(view: View, notice: Notice): HTMLElement {
    const { text, format } = view;
    const place = el("div", { class: "confirm" });
    const first = button(text.clear, () => ask(), { icon: "clear", "aria-expanded": "false" });
    const question = el("span", { class: "question" });
    const keep = () => {
        place.replaceChildren(first);
        place.classList.remove("is-asking");
        first.focus();
    };
    const yes = button(
        text.clearYes,
        () => {
            keep();
            void control(view, notice, { action: "clear" }, text.cleared);
        },
        { class: "danger" },
    );
    const no = button(text.clearNo, keep);
    const group = on(
        el("div", { class: "confirm-group", role: "group" }, question, yes, no),
        { keydown: (event) => event.key === "Escape" && keep() },
    );
    const ask = () => {
        const waiting = view.desk.shown?.telemetry?.waiting.count ?? 0;
        setText(question, text.clearAsk(format.count(waiting), waiting));
        group.setAttribute("aria-label", question.textContent ?? "");
        place.replaceChildren(group);
        place.classList.add("is-asking");
        // A key that is held down does not confirm it.
        no.focus();
    };
    place.append(first);
    return place;
}

function volume(view: View, notice: Notice): HTMLElement {
    const { text, format, desk } = view;
    const slider = el("input", { type: "range", min: 0, max: 100, step: 1, value: 100 });
    const shown = el("span", { class: "value", "aria-hidden": "true" });
    const show = () => {
        const share = format.percent(Number(slider.value) / 100);
        setText(shown, share);
        slider.setAttribute("aria-valuetext", share);
        slider.style.setProperty("--share", `${slider.value}%`);
    };
    /** It was moved, and that is to be sent or on its way. */
    let isSending = false;
    let touchedAt = -Infinity;
    const send = async () => {
        let sent = "";
        while (sent !== slider.value) {
            await new Promise((resolve) => setTimeout(resolve, VOLUME_EVERY));
            sent = slider.value;
            await control(view, notice, { action: "volume", level: Number(sent) / 100 });
        }
        touchedAt = performance.now();
        isSending = false;
    };
    on(slider, {
        input: () => {
            show();
            if (isSending) return;
            isSending = true;
            void send();
        },
    });
    desk.watch(["renderers"], () => {
        const told = desk.shown?.telemetry?.volume;
        const isOurs = isSending || performance.now() - touchedAt < TRUST;
        if (told !== undefined && !isOurs) slider.value = String(Math.round(told * 100));
        show();
    });
    return el("div", { class: "volume" }, field(text.volume, slider), shown);
}
