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

    const setLeft = (value: boolean) => () => {
        isLeft = value;
    };
    const options = { signal: gone, passive: true };
    document.addEventListener("focusin", setLeft(false), options);
    for (const hand of ["wheel", "pointerdown"]) document.addEventListener(hand, setLeft(true), options);
    document.addEventListener("keydown", (event) => SCROLL.has(event.key) && setLeft(true)(), options);
}
