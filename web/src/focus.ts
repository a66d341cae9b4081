// What the keyboard is at stays where it is seen.

/** Keys that scroll away from it on purpose. */
const SCROLL = new Set(["PageUp", "PageDown", "Home", "End"]);

/**
 * The page's parts grow and shrink by themselves, and push others out of the window
 * or below its head. The one with the keyboard's focus comes back into view then,
 * unless somebody has turned from it by hand.
 */
export function keepFocusInView(head: HTMLElement, gone: AbortSignal): void {
    let isLeft = false;
    const observer = new ResizeObserver(() => {
        document.documentElement.style.scrollPaddingTop = `${head.offsetHeight}px`;
        if (!isLeft) document.querySelector(":focus-visible")?.scrollIntoView({ block: "nearest" });
    });
    for (const part of [head, ...document.querySelectorAll("section")]) observer.observe(part);
    gone.addEventListener("abort", () => observer.disconnect());

    const options = { signal: gone, passive: true };
    const listen = (event: string, isTurning: (event: Event) => boolean) =>
        document.addEventListener(event, (told) => void (isLeft = isTurning(told)), options);
    listen("focusin", () => false);
    listen("wheel", () => true);
    listen("pointerdown", () => true);
    listen("keydown", (event) => isLeft || SCROLL.has((event as KeyboardEvent).key));
}
