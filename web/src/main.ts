// The desk: from its link to the page.

import { Problem, signIn, signOut, StreamApi, streams } from "./api";
import { controls } from "./controls";
import { Desk } from "./desk";
import { el } from "./dom";
import { keepFocusInView } from "./focus";
import { Format } from "./format";
import { gifts } from "./gifts";
import { glance } from "./glance";
import { goal } from "./goal";
import { footer, header, type HeaderActs } from "./header";
import { plots } from "./plots";
import { queue } from "./queue";
import { rate } from "./rate";
import { renderers } from "./renderers";
import { codeOf, signInPage } from "./signin";
import { sourcesPanel } from "./sources";
import { testing } from "./testing";
import { chosenLanguage, keepLanguage, languages, localeOf, type Texts } from "./text";
import type { View } from "./view";

const STREAM = "hyperfocus-desk.stream";

/** The stream of a relay that has none yet. */
const FIRST_STREAM = "main";

/** The page as it stands; another takes its place when stream or language change. */
class Page {
    private desk: Desk | null = null;
    private built = new AbortController();

    async open(): Promise<void> {
        const problem = await this.exchangeCode();
        try {
            const open = (await streams()).map((stream) => stream.id);
            this.show(chosenStream(open));
        } catch (error) {
            if (!(error instanceof Problem)) throw error;
            this.signedOut(problem ?? (error.isSignedOut ? null : error));
        }
    }

    /** Trades the link's code for the cookie, and takes it from the address bar. */
    private async exchangeCode(): Promise<Problem | null> {
        const code = codeOf(location.hash);
        if (!code) return null;
        history.replaceState(null, "", location.pathname + location.search);
        try {
            await signIn(code);
            return null;
        } catch (error) {
            if (error instanceof Problem) return error;
            throw error;
        }
    }

    private show(stream: string): void {
        localStorage.setItem(STREAM, stream);
        // Each window and dock opens its own again, whatever others show meanwhile.
        const address = new URL(location.href);
        address.searchParams.set("stream", stream);
        history.replaceState(null, "", address);
        this.desk?.stop();
        this.desk = new Desk(new StreamApi(stream), () => this.signedOut(null));
        this.build();
        this.desk.start();
    }

    private build(): void {
        const { desk } = this;
        if (!desk) return;
        this.built.abort();
        this.built = new AbortController();
        desk.forgetWatchers();
        const text = this.speak();
        const view: View = {
            desk,
            text,
            format: new Format(localeOf(text.code)),
            signedOut: () => this.signedOut(null),
            gone: this.built.signal,
        };
        const acts: HeaderActs = {
            chooseStream: (id) => {
                this.show(id);
                document.querySelector<HTMLElement>(".stream select")?.focus();
            },
            chooseLanguage: (language) => {
                keepLanguage(language);
                this.build();
                document.querySelector<HTMLElement>(".language")?.focus();
            },
            // The page is left in any case; where the relay did not hear of it, that is said.
            signOut: () =>
                void signOut().then(
                    () => this.signedOut(null),
                    (error: unknown) => this.signedOut(error instanceof Problem ? error : null),
                ),
        };
        const head = header(view, acts);
        document.body.replaceChildren(
            head,
            el(
                "main",
                {},
                glance(view),
                el(
                    "div",
                    { class: "columns" },
                    el("div", { class: "column" }, controls(view), queue(view), rate(view), testing(view)),
                    el("div", { class: "column" }, gifts(view), goal(view)),
                    el("div", { class: "column" }, plots(view), renderers(view), sourcesPanel(view)),
                ),
            ),
            footer(view, acts),
        );
        keepFocusInView(head, this.built.signal);
    }

    private speak(): Texts {
        const text = languages[chosenLanguage()].texts;
        document.documentElement.lang = text.code;
        document.title = text.title;
        return text;
    }

    private signedOut(problem: Problem | null): void {
        this.desk?.stop();
        this.desk = null;
        this.built.abort();
        document.body.replaceChildren(signInPage(this.speak(), problem, () => void this.open()));
    }
}

/**
 * The one in the address, the one of last time, or the first that is open. One that
 * nobody is connected to is not open, and opens when it is asked about.
 */
function chosenStream(open: string[]): string {
    const asked = new URLSearchParams(location.search).get("stream");
    return asked || localStorage.getItem(STREAM) || open[0] || FIRST_STREAM;
}

const page = new Page();
void page.open();
// A new link that is pasted over the old one loads nothing by itself.
window.addEventListener("hashchange", () => {
    if (codeOf(location.hash)) void page.open();
});
