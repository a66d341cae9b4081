// The rate slider: what each rate would have meant for the last ten minutes'
// gifts, while it is moved, and the rate itself once it is let go.

import { Problem } from "./api";
import { el, freshId, hide, on, setText } from "./dom";
import type { Facts } from "./text";
import { attempt, Notice, panel, type View } from "./view";
import type { RateFigures, Rates } from "./wire";

/** The slider's stops, in gifts per second; close together where they differ most. */
const STOPS = [0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60];

/**
 * Figures older than this are asked for again when the slider is touched, or while
 * they are of no gifts yet (milliseconds).
 */
const FRESH = 10_000;

/** And so often while the slider is only looked at. */
const REFRESH = 30_000;

/** After the last arrow key, so that moving through five rates applies one (milliseconds). */
const KEY_PAUSE = 900;

/** The highest bar is the longest wait of them, but no less than this (seconds). */
const LEAST_FULL_BAR = 5;

/** From this share of gifts answered there is nothing to be explained; as the relay has it. */
const NEARLY_ALL = 0.95;

export function rate(view: View): HTMLElement {
    return new RatePanel(view).element;
}

class RatePanel {
    readonly element: HTMLElement;
    private readonly notice = new Notice();
    private readonly slider: HTMLInputElement;
    private readonly value = el("span", { class: "rate-value", "aria-hidden": "true" });
    private readonly bars = el("div", { class: "rate-bars", "aria-hidden": "true" });
    private readonly means = el("dl", { class: "rate-means" });
    private readonly basis = el("p", { class: "hint" });
    private readonly advice = el("p", { class: "advice" });
    private readonly why = el("p", { class: "hint" });
    private readonly adopt: HTMLButtonElement;
    private readonly figures: Record<"p50" | "p95" | "folded" | "coverage" | "refused", HTMLElement>;
    private stops: number[] = [...STOPS];
    private rates: Rates | null = null;
    /** By `performance.now()`, which no clock that is set puts back. */
    private askedAt = -Infinity;
    private isAsking = false;
    private isHeld = false;
    /** Moved by hand, and not applied yet. */
    private isMoved = false;
    private keyTimer = 0;
    /** On its way to the relay, as the latest of so many. */
    private asked: number | null = null;
    private asks = 0;

    constructor(private readonly view: View) {
        const { text, desk } = view;
        this.slider = el("input", { type: "range", min: 0, step: 1, id: freshId("rate"), class: "rate-slider" });
        this.adopt = on(el("button", { type: "button", class: "small", hidden: true }), {
            click: () => this.takeAdvice(),
        });
        const figure = (label: string) => {
            const value = el("dd", {}, "–");
            this.means.append(el("div", {}, el("dt", {}, label), value));
            return value;
        };
        this.figures = {
            p50: figure(text.waitP50),
            p95: figure(text.waitP95),
            folded: figure(text.folded),
            coverage: figure(text.coverage),
            refused: figure(text.refusedShare),
        };
        this.listen();
        const label = el("label", { for: this.slider.id }, text.rateLabel);
        this.element = panel(
            "rate",
            text.rate,
            el("div", { class: "rate-head" }, label, this.value),
            el("div", { class: "rate-track" }, this.bars, this.slider),
            this.means,
            this.basis,
            el("div", { class: "advice-line" }, this.advice, this.adopt),
            this.why,
            this.notice.element,
        );
        desk.watch(["config"], () => this.followConfig());
        desk.watch(["figures"], () => this.askAgain(this.rates?.gifts ? REFRESH : FRESH));
    }

    private get chosen(): number {
        return this.stops[Number(this.slider.value)] ?? this.applied;
    }

    private get applied(): number {
        return this.asked ?? this.view.desk.config?.maxGiftsPerSecond ?? 30;
    }

    private listen(): void {
        on(this.slider, {
            pointerdown: () => {
                this.isHeld = true;
                this.askAgain(FRESH);
            },
            focus: () => this.askAgain(FRESH),
            input: () => {
                this.isMoved = true;
                clearTimeout(this.keyTimer);
                if (!this.isHeld) this.keyTimer = window.setTimeout(() => void this.apply(), KEY_PAUSE);
                this.draw();
            },
            keydown: (event) => {
                if (event.key === "Enter") void this.apply();
                if (event.key === "Escape") this.revert();
            },
            blur: () => void this.apply(),
        });
        // The pointer may be let go anywhere on the page.
        on(this.slider, { change: () => this.isHeld && this.letGo(), pointercancel: () => this.letGo() });
        on(this.slider, { pointerup: () => queueMicrotask(() => this.letGo()) });
    }

    private letGo(): void {
        this.isHeld = false;
        void this.apply();
    }

    private revert(): void {
        clearTimeout(this.keyTimer);
        this.isMoved = false;
        this.followConfig();
    }

    private takeAdvice(): void {
        const recommended = this.rates?.recommended?.rate;
        if (recommended === undefined) return;
        this.slider.value = String(this.stops.indexOf(recommended));
        this.isMoved = true;
        this.draw();
        void this.apply();
    }

    private async apply(): Promise<void> {
        clearTimeout(this.keyTimer);
        if (!this.isMoved) return;
        this.isMoved = false;
        const wanted = this.chosen;
        if (wanted === this.applied) return this.notice.clear();
        const { desk, text } = this.view;
        this.asked = wanted;
        this.asks += 1;
        const ask = this.asks;
        const went = await attempt(this.view, this.notice, async () => {
            const config = await desk.api.patchConfig({ maxGiftsPerSecond: wanted });
            if (config) desk.changed({ config });
            return text.applied(this.told(wanted));
        });
        if (ask === this.asks) this.asked = null;
        if (!went) this.followConfig();
    }

    private told(rate: number): string {
        return this.view.text.perSecond(this.view.format.number(rate));
    }

    /** Stands where the stream's setting is, unless a hand is on it. */
    private followConfig(): void {
        this.slider.disabled = this.view.desk.config === null;
        const stops = new Set([...STOPS, this.applied]);
        if (this.rates?.recommended) stops.add(this.rates.recommended.rate);
        const held = this.isMoved || this.isHeld ? this.chosen : this.applied;
        stops.add(held);
        this.stops = [...stops].sort((a, b) => a - b);
        this.slider.max = String(this.stops.length - 1);
        this.slider.value = String(this.stops.indexOf(held));
        this.draw();
    }

    /** Asks what the rates would have meant, unless that is known well enough. */
    private askAgain(maxAge: number): void {
        if (this.isAsking || performance.now() - this.askedAt < maxAge || !this.view.desk.config) return;
        // Folded away it is of no use to anybody.
        if (this.slider.offsetParent === null) return;
        this.isAsking = true;
        this.askedAt = performance.now();
        void this.ask().finally(() => {
            this.isAsking = false;
        });
    }

    private async ask(): Promise<void> {
        const { desk, text } = this.view;
        try {
            this.rates = await desk.api.rates(this.stops);
            this.followConfig();
        } catch (error) {
            if (!(error instanceof Problem)) throw error;
            if (error.isSignedOut) return this.view.signedOut();
            setText(this.basis, text.noRates(error.detail));
        }
    }

    private figuresAt(rate: number): RateFigures | null {
        return this.rates?.rates.find((figures) => figures.rate === rate) ?? null;
    }

    private draw(): void {
        const { text, format } = this.view;
        const rate = this.chosen;
        const figures = this.rates?.gifts ? this.figuresAt(rate) : null;
        setText(this.value, this.told(rate));
        setText(this.figures.p50, format.seconds(figures?.waitP50));
        setText(this.figures.p95, format.seconds(figures?.waitP95));
        setText(this.figures.folded, format.percent(figures?.foldedShare));
        setText(this.figures.coverage, format.percent(figures?.coverage));
        setText(this.figures.refused, format.percent(figures?.refusedShare));
        const spoken = figures
            ? text.rateSpoken(this.told(rate), format.seconds(figures.waitP95))
            : this.told(rate);
        this.slider.setAttribute("aria-valuetext", spoken);
        const share = Number(this.slider.value) / Math.max(1, this.stops.length - 1);
        this.slider.style.setProperty("--share", `${share * 100}%`);
        this.element.classList.toggle("is-moved", this.isMoved);
        this.drawBars(rate);
        if (!this.rates) return;
        const span = format.span(this.rates.seconds);
        setText(this.basis, text.basis(format.count(this.rates.gifts), span, this.rates.gifts));
        this.drawAdvice();
    }

    private drawAdvice(): void {
        const { text } = this.view;
        const recommended = this.rates?.recommended ?? null;
        const isOther = recommended !== null && recommended.rate !== this.applied;
        const figures = recommended && this.figuresAt(recommended.rate);
        setText(this.advice, recommended ? text.recommended(this.told(recommended.rate)) : "");
        setText(this.why, figures ? text.reason(recommended.reason, this.facts(figures)) : "");
        setText(this.adopt, recommended ? text.adopt(this.told(recommended.rate)) : "");
        hide(this.adopt, !isOther, this.slider);
    }

    /** What there is to be said for a rate. */
    private facts(chosen: RateFigures): Facts {
        const { format } = this.view;
        const judged = [...(this.rates?.rates ?? [])].sort((a, b) => a.rate - b.rate);
        const at = judged.findIndex((figures) => figures.rate === chosen.rate);
        const slower = judged[at - 1];
        const answered = (figures: RateFigures) => format.percent(figures.answeredShare);
        return {
            rate: this.told(chosen.rate),
            answered: answered(chosen),
            wait: format.seconds(chosen.waitP95),
            refused: chosen.refusedShare > 0 ? format.percent(chosen.refusedShare) : null,
            slower: slower ? { rate: this.told(slower.rate), answered: answered(slower) } : null,
            isEnough: chosen.answeredShare >= NEARLY_ALL,
            isFollowed: at + 1 < judged.length,
        };
    }

    /** A bar for each stop: how long 95 of 100 would have waited. */
    private drawBars(rate: number): void {
        while (this.bars.childElementCount < this.stops.length) {
            this.bars.append(el("span", { class: "bar" }, el("i", {})));
        }
        while (this.bars.childElementCount > this.stops.length) this.bars.lastElementChild?.remove();
        const waits = this.stops.map((stop) => (this.rates?.gifts ? this.figuresAt(stop)?.waitP95 : null) ?? 0);
        const longest = Math.max(LEAST_FULL_BAR, ...waits);
        this.stops.forEach((stop, index) => {
            const bar = this.bars.children[index] as HTMLElement;
            // By its square root: a second more matters most where there are few.
            const height = Math.sqrt((waits[index] ?? 0) / longest);
            (bar.firstElementChild as HTMLElement).style.height = `${Math.round(height * 100)}%`;
            bar.classList.toggle("is-chosen", stop === rate);
            bar.classList.toggle("is-applied", stop === this.applied);
            bar.classList.toggle("is-recommended", stop === this.rates?.recommended?.rate);
        });
    }
}
