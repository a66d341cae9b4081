// What every part of the page gets, and what they share.

import { Problem } from "./api";
import type { Desk } from "./desk";
import { el, freshId, on } from "./dom";
import type { Format } from "./format";
import type { Texts } from "./text";
import type { Control } from "./wire";

export interface View {
    desk: Desk;
    text: Texts;
    format: Format;
    signedOut: () => void;
    /** Aborted when the page is built anew, in another language for one. */
    gone: AbortSignal;
}

/** A line that says how something went, beside what was done. */
export class Notice {
    readonly element = el("p", { class: "notice", role: "status" });

    say(text: string): void {
        this.show(text, false);
    }

    complain(text: string): void {
        this.show(text, true);
    }

    clear(): void {
        this.show("", false);
    }

    /** What was wrong is so no more. */
    settle(): void {
        if (this.element.classList.contains("is-error")) this.clear();
    }

    /** The same, if that was it. */
    settleIf(complaint: string): void {
        if (this.element.textContent === complaint) this.settle();
    }

    private show(text: string, isError: boolean): void {
        this.element.textContent = text;
        this.element.classList.toggle("is-error", isError);
    }
}

/** Does something that may be refused, and says so; whether it went well. */
export async function attempt(view: View, notice: Notice, act: () => Promise<string | null>): Promise<boolean> {
    try {
        const said = await act();
        if (said === null) notice.settle();
        else notice.say(said);
        return true;
    } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.isSignedOut) view.signedOut();
        notice.complain(sayProblem(view.text, error));
        return false;
    }
}

export function sayProblem(text: Texts, problem: Problem): string {
    return problem.status === 0 ? text.unreachable : text.refused(problem.detail);
}

/** Tells the renderers something; a problem and a lack of them are said. */
export async function control(
    view: View,
    notice: Notice,
    what: Control,
    said: string | null = null,
): Promise<boolean> {
    let told = 0;
    const went = await attempt(view, notice, async () => {
        told = await view.desk.api.control(what);
        return told > 0 ? said : null;
    });
    if (went && told === 0) notice.complain(view.text.controlsIdle);
    return went && told > 0;
}

/** How long what was asked for is shown once the relay has taken it (milliseconds). */
export const TRUST = 3_000;

/**
 * Something that is on or off at the renderer. What was asked for is shown until
 * the renderer must have said what became of it: what it sent before that would
 * turn the button back under the pointer, and the next press would ask for the
 * wrong thing.
 */
export class Switched {
    private asked: { on: boolean; until: number } | null = null;

    /** Shows `on` until a moment after it was `sent`, or not at all if that fails. */
    async ask(on: boolean, sent: Promise<boolean>): Promise<void> {
        const asked = { on, until: Infinity };
        this.asked = asked;
        const went = await sent;
        asked.until = performance.now() + TRUST;
        if (!went && this.asked === asked) this.asked = null;
    }

    /** What to show, given what the renderer said last; one that says nothing is believed to have done it. */
    isOn(told: boolean | null): boolean {
        if (told !== null && this.asked && this.asked.until < performance.now()) this.asked = null;
        return this.asked?.on ?? told ?? false;
    }
}

const FOLDED = "hyperfocus-desk.folded";

function foldedPanels(): Set<string> {
    const kept: unknown = JSON.parse(localStorage.getItem(FOLDED) ?? "[]");
    return new Set(Array.isArray(kept) ? kept.filter((name) => typeof name === "string") : []);
}

/** A part of the page with a heading that folds it away. */
export function panel(name: string, title: string, ...content: Node[]): HTMLElement {
    const bodyId = freshId("panel");
    const body = el("div", { class: "panel-body", id: bodyId }, ...content);
    const toggle = el(
        "button",
        { type: "button", class: "panel-toggle", "aria-controls": bodyId },
        el("span", { class: "icon icon-fold", "aria-hidden": "true" }),
        title,
    );
    const headingId = freshId("heading");
    const heading = el("h2", { id: headingId }, toggle);
    const section = el("section", { class: `panel panel-${name}`, "aria-labelledby": headingId }, heading, body);
    const show = (isFolded: boolean) => {
        body.hidden = isFolded;
        section.classList.toggle("is-folded", isFolded);
        toggle.setAttribute("aria-expanded", String(!isFolded));
    };
    on(toggle, {
        click: () => {
            const folded = foldedPanels();
            if (!folded.delete(name)) folded.add(name);
            localStorage.setItem(FOLDED, JSON.stringify([...folded]));
            show(folded.has(name));
        },
    });
    show(foldedPanels().has(name));
    return section;
}

/**
 * Whether somebody is at a list, with pointer or keyboard; `left` is called when
 * not any more. Rows that move are hit by mistake, so until then they stand.
 */
export function attended(list: HTMLElement, left: () => void): () => boolean {
    const isAttended = () => list.matches(":hover") || hasKeyboard(list);
    const look = () => {
        if (!isAttended()) left();
    };
    // Where the focus goes is known only after it has gone.
    on(list, { pointerleave: look, focusout: () => setTimeout(look) });
    return isAttended;
}

/** A button that was clicked keeps the focus when the pointer has long gone: that is nobody. */
function hasKeyboard(list: HTMLElement): boolean {
    const focused = document.activeElement;
    return document.hasFocus() && list.contains(focused) && focused !== null && focused.matches(":focus-visible");
}

/** What stands where there is nothing yet, and what to do about it. */
export function empty(text: string, command?: string): HTMLElement {
    return el("div", { class: "empty" }, el("p", {}, text), command ? el("code", {}, command) : null);
}
