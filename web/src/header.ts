// Which stream, how the connection stands; below, the page's language.

import { button, el, freshId, hide, on, setText } from "./dom";
import { languages, type Language } from "./text";
import { sayProblem, type View } from "./view";

/** Streams in the picker; more are reached by `?stream=`. */
const MAX_LISTED = 200;

/** The countdown to the next try (milliseconds). */
const TICK = 1_000;

export interface HeaderActs {
    chooseStream: (id: string) => void;
    chooseLanguage: (language: Language) => void;
    signOut: () => void;
}

export function header(view: View, acts: HeaderActs): HTMLElement {
    const { text } = view;
    return el(
        "header",
        { class: "top" },
        el("h1", {}, text.title),
        streamPicker(view, acts),
        linkState(view),
    );
}

/** What is seldom wanted, below everything else. */
export function footer(view: View, acts: HeaderActs): HTMLElement {
    return el("footer", {}, languagePicker(view, acts), button(view.text.signOut, acts.signOut, { class: "small" }));
}

function streamPicker({ desk, text }: View, acts: HeaderActs): HTMLElement {
    const picker = el("select", { id: freshId("stream"), "aria-label": text.stream });
    on(picker, { change: () => acts.chooseStream(picker.value) });
    let shown = "";
    desk.watch(["streams"], () => {
        const ids = (desk.streams ?? []).slice(0, MAX_LISTED).map((stream) => stream.id);
        if (!ids.includes(desk.api.id)) ids.unshift(desk.api.id);
        const key = JSON.stringify(ids);
        if (key === shown) return;
        shown = key;
        picker.replaceChildren(...ids.map((id) => el("option", { value: id, selected: id === desk.api.id }, id)));
    });
    return el("div", { class: "stream" }, picker);
}

function linkState(view: View): HTMLElement {
    const { desk, text, format } = view;
    const said = el("span", { role: "status" });
    const countdown = el("span", { class: "countdown" });
    const now = button(text.tryNow, () => desk.reconnect(), { class: "small" });
    const element = el("div", { class: "link", tabindex: -1 }, el("span", { class: "dot", "aria-hidden": "true" }), said, countdown, now);
    let timer = 0;
    const draw = () => {
        const { link } = desk;
        const isTroubled = link.is === "open" && desk.trouble !== null;
        element.dataset["state"] = isTroubled ? "lost" : link.is;
        setText(said, isTroubled && desk.trouble ? sayProblem(text, desk.trouble) : text.linkStates[link.is]);
        hide(now, link.is !== "lost", element);
        clearTimeout(timer);
        setText(countdown, "");
        if (link.is !== "lost" || view.gone.aborted) return;
        const left = Math.max(0, Math.ceil((link.retryAt - Date.now()) / 1000));
        setText(countdown, format.seconds(left));
        timer = window.setTimeout(draw, TICK);
    };
    desk.watch(["link"], draw);
    return element;
}

function languagePicker({ text }: View, acts: HeaderActs): HTMLElement {
    const picker = el(
        "select",
        { class: "language", "aria-label": text.language },
        ...Object.entries(languages).map(([code, { name }]) =>
            el("option", { value: code, lang: code, selected: code === text.code }, name),
        ),
    );
    return on(picker, { change: () => acts.chooseLanguage(picker.value as Language) });
}
