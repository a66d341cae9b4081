// What stands where nobody is signed in: how to get a link, and room for its code.

import { Problem, signIn } from "./api";
import { el, field, on } from "./dom";
import type { Texts } from "./text";
import { sayProblem } from "./view";

/** The code of a link, or a code by itself. */
export function codeOf(pasted: string): string {
    const fragment = pasted.includes("#") ? pasted.slice(pasted.indexOf("#") + 1) : pasted;
    return fragment.replace(/^code=/, "").trim();
}

export function signInPage(text: Texts, problem: Problem | null, signedIn: () => void): HTMLElement {
    const code = el("input", { type: "text", required: true, autocomplete: "off", spellcheck: "false" });
    const notice = el("p", { class: "notice is-error", role: "alert" });
    const say = (problem: Problem) => {
        notice.textContent = sayProblem(text, problem);
    };
    if (problem) say(problem);
    const form = on(
        el(
            "form",
            { class: "form" },
            field(text.linkOrCode, code),
            el("div", { class: "form-end" }, el("button", { type: "submit", class: "primary" }, text.open)),
        ),
        {
            submit: (event) => {
                event.preventDefault();
                signIn(codeOf(code.value)).then(signedIn, (error: unknown) => {
                    if (!(error instanceof Problem)) throw error;
                    say(error);
                });
            },
        },
    );
    return el(
        "main",
        { class: "sign-in" },
        el("h1", {}, text.title),
        el("p", {}, text.signInWhy),
        el("code", {}, "hyperfocus desk"),
        form,
        notice,
    );
}
