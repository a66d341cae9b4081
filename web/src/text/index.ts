// The page's languages. Another one is a file like `de.ts` and a line here; the
// compiler names what it lacks.

import { de } from "./de";
import { en, type Facts, type Texts } from "./en";

export type { Facts, Texts };

export const languages = {
    en: { name: "English", texts: en },
    de: { name: "Deutsch", texts: de },
} as const satisfies Record<string, { name: string; texts: Texts }>;

export type Language = keyof typeof languages;

const KEPT = "hyperfocus-desk.language";

function isLanguage(code: string | null): code is Language {
    return code !== null && Object.hasOwn(languages, code);
}

/** The one that was chosen here, or the browser's first that there is. */
export function chosenLanguage(): Language {
    const kept = localStorage.getItem(KEPT);
    if (isLanguage(kept)) return kept;
    for (const locale of navigator.languages) {
        const language = new Intl.Locale(locale).language;
        if (isLanguage(language)) return language;
    }
    return "en";
}

export function keepLanguage(language: Language): void {
    localStorage.setItem(KEPT, language);
}

/** How numbers are written: as the reader's place does, in the page's language. */
export function localeOf(code: string): string {
    return navigator.languages.find((locale) => new Intl.Locale(locale).language === code) ?? code;
}
